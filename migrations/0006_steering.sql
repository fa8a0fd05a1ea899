-- What lets a search be steered between two sittings: every request with all that came of it, kept as it comes, and every change of the
-- configuration with its time.

-- Which request of its round it is; the reply to a step is asked for once, however often the program is killed.
ALTER TABLE proposals ADD COLUMN step TEXT NOT NULL DEFAULT 'ask';
ALTER TABLE proposals ADD COLUMN reasoning TEXT;        -- what the server says the model thought; never read as a draft
ALTER TABLE proposals ADD COLUMN instead TEXT;          -- a refusal, or calls of tools, in place of a text
ALTER TABLE proposals ADD COLUMN stopped_because TEXT;  -- in the server's words
ALTER TABLE proposals ADD COLUMN answered_by TEXT;      -- the model, by the server's name for it
ALTER TABLE proposals ADD COLUMN is_estimate INTEGER NOT NULL DEFAULT 0 CHECK (is_estimate IN (0, 1)); -- tokens and cost are guessed
CREATE INDEX proposals_by_step ON proposals (search_id, round, step);

-- What was changed in the configuration of a search under way. A value is JSON; NULL where the key was not there.
CREATE TABLE changes (
    id        INTEGER PRIMARY KEY,
    search_id INTEGER NOT NULL REFERENCES searches (id),
    key       TEXT    NOT NULL,               -- e.g. proposer.base_url
    before    TEXT,
    after     TEXT,
    created_at TEXT   NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
CREATE TRIGGER changes_are_immutable BEFORE UPDATE ON changes
BEGIN SELECT raise(ABORT, 'a change is recorded once'); END;
CREATE TRIGGER changes_stay BEFORE DELETE ON changes
BEGIN SELECT raise(ABORT, 'a change is recorded once'); END;
