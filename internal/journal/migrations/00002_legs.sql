-- +goose Up

-- Payouts of given pieces, floats by amount, and operations over several machines, each of which carries out a leg.
ALTER TABLE ops ADD COLUMN pieces TEXT NOT NULL DEFAULT 'null'; -- JSON list of denominations
ALTER TABLE ops ADD COLUMN worth_value INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ops ADD COLUMN worth_currency TEXT NOT NULL DEFAULT '';
ALTER TABLE ops ADD COLUMN least INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ops ADD COLUMN whole TEXT NOT NULL DEFAULT ''; -- of a leg: the operation that it is part of
ALTER TABLE ops ADD COLUMN across TEXT NOT NULL DEFAULT 'null'; -- of a whole: JSON list of devices
CREATE INDEX ops_whole ON ops (whole) WHERE whole <> '';
