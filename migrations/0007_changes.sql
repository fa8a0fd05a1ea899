-- A search that is mended and extended: what was changed, what a trial was asked for, and where a search was begun from.

-- Settings that were changed between two sittings.
CREATE TABLE changes (
    id          INTEGER PRIMARY KEY,
    search_id   INTEGER NOT NULL REFERENCES searches (id),
    setting     TEXT    NOT NULL,             -- with its sections: proposer.model
    before      TEXT    NOT NULL,             -- JSON; null where it was not set
    after       TEXT    NOT NULL,
    after_round INTEGER NOT NULL,             -- the last round that was ranked by then
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE TRIGGER changes_are_immutable BEFORE UPDATE ON changes
BEGIN SELECT raise(ABORT, 'what was changed stays told'); END;
CREATE TRIGGER changes_stay BEFORE DELETE ON changes
BEGIN SELECT raise(ABORT, 'what was changed stays told'); END;

-- The database that a search was begun from, whose rounds it takes over.
ALTER TABLE searches ADD COLUMN begun_from TEXT;

-- A digest of all that a trial depends on: another search that asks for the same may take its outcome over.
ALTER TABLE trials ADD COLUMN job TEXT;
CREATE INDEX trials_by_job ON trials (job) WHERE job IS NOT NULL;

-- A confirmation of more steps is a trial of its own beside that of fewer.
DROP INDEX trials_by_arm;
CREATE UNIQUE INDEX trials_by_arm ON trials (search_id, stage, number, steps, arm, ifnull(candidate_id, 0), ifnull(ensemble_id, 0));
