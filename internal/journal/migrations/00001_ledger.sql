-- +goose Up

-- The ledger itself: rows are only ever added. hash covers the hash of the row before (see hash.go).
CREATE TABLE lines (
    seq        INTEGER PRIMARY KEY,
    at         TEXT    NOT NULL,
    device     TEXT    NOT NULL,
    op         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    value      INTEGER NOT NULL,
    currency   TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    from_place TEXT    NOT NULL,
    to_place   TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    hash       TEXT    NOT NULL
) STRICT;
CREATE INDEX lines_device ON lines (device, seq);
CREATE INDEX lines_op ON lines (op, seq) WHERE op <> '';

-- The last row of the ledger, so that a ledger cut off at its end is seen.
CREATE TABLE head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash TEXT    NOT NULL
) STRICT;

-- The sum over lines, kept in the same transaction.
CREATE TABLE balances (
    device   TEXT    NOT NULL,
    place    TEXT    NOT NULL,
    value    INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (device, place, value, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE ops (
    id             TEXT    PRIMARY KEY,
    key            TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    device         TEXT    NOT NULL,
    actor          TEXT    NOT NULL,
    asked_value    INTEGER NOT NULL,
    asked_currency TEXT    NOT NULL,
    keep           TEXT    NOT NULL, -- JSON list of denominations
    module         INTEGER NOT NULL,
    state          TEXT    NOT NULL, -- '' open, 'unknown' open and to be settled, else how it ended
    paid           TEXT    NOT NULL, -- JSON list of denominations
    detail         TEXT    NOT NULL,
    started        TEXT    NOT NULL,
    ended          TEXT    NOT NULL  -- '' while open
) STRICT;
CREATE UNIQUE INDEX ops_key ON ops (key) WHERE key <> '';
CREATE INDEX ops_open ON ops (device) WHERE state IN ('', 'unknown');

-- A machine's own books at a moment when ledger and machine agreed.
CREATE TABLE baselines (
    device  TEXT    PRIMARY KEY,
    account TEXT    NOT NULL, -- JSON
    seq     INTEGER NOT NULL,
    at      TEXT    NOT NULL
) STRICT;

-- Events seen while a machine was drained, until its books are reconciled.
CREATE TABLE evidence (
    id     INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    at     TEXT NOT NULL,
    type   TEXT NOT NULL,
    data   BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_device ON evidence (device, id);

-- Written to find out whether the ledger can be written.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL
) STRICT;
