-- Words instead of hidden meanings: where a candidate comes from, what a trial trains on, and why something ended, as JSON. What is
-- large and seldom read (modules, completions) stands in tables of its own, so that lists need not read past it.
-- Foreign keys are off while this runs; the program checks them when it is done.

DROP VIEW leaderboard;
DROP TRIGGER finished_trials_are_immutable;
DROP TRIGGER finished_trials_stay;
DROP TRIGGER evaluations_are_immutable;
DROP TRIGGER evaluations_stay;

CREATE TABLE new_candidates (
    id         INTEGER PRIMARY KEY,
    search_id  INTEGER NOT NULL REFERENCES searches (id),
    origin     TEXT    NOT NULL CHECK (origin IN ('base', 'seed', 'round')),
    round      INTEGER CHECK (round >= 1),    -- the round that proposed it
    name       TEXT    NOT NULL,
    language   TEXT    NOT NULL CHECK (language IN ('rust', 'python')),
    sha256     TEXT    NOT NULL,              -- of the normalised source
    parents    TEXT    NOT NULL,              -- JSON array of names
    status     TEXT    NOT NULL CHECK (status IN ('accepted', 'rejected', 'duplicate', 'unreadable')),
    cause      TEXT,                          -- JSON: why it is not accepted
    created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    rationale  TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    probe      TEXT,                          -- JSON of what the probe saw
    UNIQUE (search_id, name),
    CHECK ((origin = 'round') = (round IS NOT NULL)),
    CHECK ((status = 'accepted') = (cause IS NULL))
) STRICT;
INSERT INTO new_candidates
SELECT id, search_id,
       CASE WHEN round = 0 THEN 'base' WHEN round = 1 AND rationale LIKE 'A seed reward, from %' THEN 'seed' ELSE 'round' END,
       CASE WHEN round = 0 OR (round = 1 AND rationale LIKE 'A seed reward, from %') THEN NULL ELSE round END,
       name, language, sha256, parents, status,
       CASE status
           WHEN 'rejected'   THEN json_object('kind', 'told', 'message', reason)
           WHEN 'duplicate'  THEN json_object('of', replace(replace(reason, 'the same source as `', ''), '`', ''))
           WHEN 'unreadable' THEN json_object('reason', reason)
       END,
       created_at, rationale, source, probe
FROM candidates;

-- The guest of an accepted candidate: what was screened is what is exported.
CREATE TABLE modules (
    candidate_id INTEGER PRIMARY KEY REFERENCES candidates (id),
    wasm         BLOB    NOT NULL
) STRICT;
INSERT INTO modules SELECT id, wasm FROM candidates WHERE wasm IS NOT NULL ORDER BY id;
CREATE TRIGGER modules_are_immutable BEFORE UPDATE ON modules
BEGIN SELECT raise(ABORT, 'what was screened is what is exported'); END;

DROP TABLE candidates;
ALTER TABLE new_candidates RENAME TO candidates;
CREATE INDEX candidates_by_hash ON candidates (search_id, sha256);
-- All that a list needs, so that it is read without the sources.
CREATE INDEX candidate_entries ON candidates (search_id, id, origin, round, name, status, cause);

-- A trial trains one arm at one budget.
CREATE TABLE new_trials (
    id           INTEGER PRIMARY KEY,
    search_id    INTEGER NOT NULL REFERENCES searches (id),
    arm          TEXT    NOT NULL CHECK (arm IN ('untouched', 'base_only', 'candidate', 'ensemble')),
    candidate_id INTEGER REFERENCES candidates (id),
    ensemble_id  INTEGER REFERENCES ensembles (id),
    stage        TEXT    NOT NULL CHECK (stage IN ('screen', 'confirm')),
    number       INTEGER NOT NULL,            -- the rung of a screening, the seed's number of a confirmation
    seed         INTEGER NOT NULL,
    steps        INTEGER NOT NULL,
    from_trial   INTEGER REFERENCES trials (id), -- the trial of the rung before, whose training this one goes on with
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'complete', 'pruned', 'failed')),
    step         INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    cause        TEXT,                        -- JSON: why it failed or was pruned
    seconds      REAL,
    started_at   TEXT,
    finished_at  TEXT,
    CHECK ((arm = 'candidate') = (candidate_id IS NOT NULL)),
    CHECK ((arm = 'ensemble') = (ensemble_id IS NOT NULL)),
    CHECK ((state IN ('failed', 'pruned')) = (cause IS NOT NULL))
) STRICT;
INSERT INTO new_trials
SELECT t.id, t.search_id,
       CASE WHEN t.candidate_id IS NOT NULL THEN 'candidate' WHEN n.name = 'base-rewards-only' THEN 'base_only'
            WHEN t.ensemble_id IS NOT NULL THEN 'ensemble' ELSE 'untouched' END,
       t.candidate_id, CASE WHEN n.name = 'base-rewards-only' THEN NULL ELSE t.ensemble_id END,
       t.stage, t.number, t.seed, t.steps, NULL, t.state, t.step, t.attempts,
       CASE t.state
           WHEN 'failed' THEN json_object('kind', 'told', 'message', t.failure)
           WHEN 'pruned' THEN json_object('why', '')
       END,
       t.seconds, t.started_at, t.finished_at
FROM trials t LEFT JOIN ensembles n ON n.id = t.ensemble_id;
DROP TABLE trials;
ALTER TABLE new_trials RENAME TO trials;
CREATE UNIQUE INDEX trials_by_arm ON trials (search_id, stage, number, arm, ifnull(candidate_id, 0), ifnull(ensemble_id, 0));
CREATE INDEX trials_by_state ON trials (search_id, state);

-- The base rewards alone are an arm of their own now, not a mix with a name that means something.
DELETE FROM ensemble_members WHERE ensemble_id IN (SELECT id FROM ensembles WHERE name = 'base-rewards-only');
DELETE FROM ensembles WHERE name = 'base-rewards-only';

CREATE TABLE new_evaluations (
    trial_id       INTEGER PRIMARY KEY REFERENCES trials (id),
    split          TEXT    NOT NULL CHECK (split IN ('dev', 'test')),
    outcomes       BLOB    NOT NULL,          -- one byte a question, as evaluator::Evaluation encodes it
    deciders       BLOB,                      -- who decided each, one byte each; NULL where the rules decided all
    -- Computed from the outcomes when they were judged; kept so that a list need not resample.
    f1             REAL    NOT NULL,
    f1_error       REAL    NOT NULL,          -- bootstrap standard error
    f1_lower       REAL    NOT NULL,
    f1_upper       REAL    NOT NULL,
    accuracy       REAL    NOT NULL,
    accuracy_error REAL,                      -- NULL for what was judged before it was kept
    accuracy_lower REAL    NOT NULL,
    accuracy_upper REAL    NOT NULL,
    answer_rate    REAL    NOT NULL
) STRICT;
INSERT INTO new_evaluations
SELECT trial_id, split, outcomes, CASE WHEN trim(CAST(deciders AS TEXT), 'r') = '' THEN NULL ELSE deciders END, f1, f1_error, f1_lower, f1_upper,
       accuracy, NULL, accuracy_lower, accuracy_upper, answer_rate
FROM evaluations;

-- What the policy wrote to each question, a JSON array of strings.
CREATE TABLE completions (
    trial_id    INTEGER PRIMARY KEY REFERENCES evaluations (trial_id),
    completions TEXT    NOT NULL
) STRICT;
INSERT INTO completions SELECT trial_id, completions FROM evaluations ORDER BY trial_id;

DROP TABLE evaluations;
ALTER TABLE new_evaluations RENAME TO evaluations;

-- Finished trials are immutable.
CREATE TRIGGER finished_trials_are_immutable BEFORE UPDATE ON trials
WHEN old.state IN ('complete', 'pruned', 'failed')
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER finished_trials_stay BEFORE DELETE ON trials
WHEN old.state IN ('complete', 'pruned', 'failed')
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER evaluations_are_immutable BEFORE UPDATE ON evaluations
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER evaluations_stay BEFORE DELETE ON evaluations
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER completions_are_immutable BEFORE UPDATE ON completions
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER completions_stay BEFORE DELETE ON completions
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;

-- For `sqlite3 search.db 'select * from leaderboard'`: each arm at the highest rung it has reached. Candidates are ranked within a rung,
-- those of a higher rung before those of a lower one. A test holds it to the program's own ranking.
CREATE VIEW leaderboard AS
WITH screened AS (
    SELECT t.*, row_number() OVER (
               PARTITION BY t.search_id, t.arm, t.candidate_id, t.ensemble_id
               ORDER BY e.f1 IS NULL, t.number DESC) AS place
    FROM trials t LEFT JOIN evaluations e ON e.trial_id = t.id
    WHERE t.stage = 'screen'
)
SELECT t.search_id,
       CASE WHEN t.arm <> 'candidate' OR e.f1 IS NULL THEN NULL
            ELSE row_number() OVER (PARTITION BY t.search_id, t.arm = 'candidate'
                                    ORDER BY e.f1 IS NULL, t.number DESC, e.f1 DESC, e.answer_rate DESC, c.id) END AS rank,
       CASE t.arm WHEN 'candidate' THEN c.name WHEN 'ensemble' THEN n.name WHEN 'base_only' THEN 'base-rewards-only' ELSE 'untouched' END AS name,
       c.origin, c.round, t.number AS rung, t.state, e.f1, e.f1_lower, e.f1_upper, e.accuracy, e.answer_rate, t.cause
FROM screened t
LEFT JOIN candidates c ON c.id = t.candidate_id
LEFT JOIN ensembles n ON n.id = t.ensemble_id
LEFT JOIN evaluations e ON e.trial_id = t.id
WHERE t.place = 1
ORDER BY e.f1 IS NULL, t.number DESC, e.f1 DESC, e.answer_rate DESC, c.id;
