-- Every request to a language model with all that came of it, kept as it comes.

-- Which request of its round it is; the reply to a step is asked for once, however often the program is killed.
ALTER TABLE proposals ADD COLUMN step TEXT NOT NULL DEFAULT 'ask';
ALTER TABLE proposals ADD COLUMN reasoning TEXT;        -- what the server says the model thought; never read as a draft
ALTER TABLE proposals ADD COLUMN instead TEXT;          -- a refusal, or calls of tools, in place of a text
ALTER TABLE proposals ADD COLUMN stopped_because TEXT;  -- in the server's words
ALTER TABLE proposals ADD COLUMN answered_by TEXT;      -- the model, by the server's name for it
ALTER TABLE proposals ADD COLUMN is_estimate INTEGER NOT NULL DEFAULT 0 CHECK (is_estimate IN (0, 1)); -- tokens and cost are guessed
CREATE INDEX proposals_by_step ON proposals (search_id, round, step);
