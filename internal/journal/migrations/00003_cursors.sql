-- +goose Up

-- How far a reader of the ledger has come, so that it goes on there after a restart. Not part of the ledger: no hash
-- covers it.
CREATE TABLE cursors (
    name TEXT    PRIMARY KEY,
    seq  INTEGER NOT NULL, -- last row that the reader is done with
    note TEXT    NOT NULL  -- the reader's own
) STRICT, WITHOUT ROWID;
