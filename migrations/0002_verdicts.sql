-- Verification by a model: what it said, and who decided each outcome.

-- What a judging model said, so that the same question is not asked twice and gets the same verdict.
CREATE TABLE verdicts (
    key        BLOB PRIMARY KEY,              -- SHA-256 of kind, model, sampling settings and the whole prompt
    kind       TEXT NOT NULL,
    model      TEXT NOT NULL,
    opinion    TEXT NOT NULL CHECK (opinion IN ('right', 'wrong', 'unclear')),
    reply      TEXT NOT NULL,
    cost_usd   REAL NOT NULL,                 -- 0 where no price is configured
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER verdicts_are_immutable BEFORE UPDATE ON verdicts
BEGIN SELECT raise(ABORT, 'a verdict is given once'); END;

-- Who decided each question, one byte each as verifier::Decider encodes it; NULL for what was judged before this column, by rule.
ALTER TABLE evaluations ADD COLUMN deciders BLOB;
