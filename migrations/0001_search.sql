-- One database holds one search or several; the latest is the one commands read.
-- Times are UTC, ISO 8601. Booleans are 0 or 1. Unsigned 64-bit seeds are stored as their two's-complement INTEGER.

CREATE TABLE searches (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    config      TEXT    NOT NULL,             -- the resolved configuration, JSON
    seed        INTEGER NOT NULL,
    stop_reason TEXT,                         -- JSON of StopReason once screening is over; NULL while rounds may follow
    finished_at TEXT,                         -- set when the finalists are confirmed
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE TABLE rounds (
    search_id   INTEGER NOT NULL REFERENCES searches (id),
    round       INTEGER NOT NULL CHECK (round >= 0),
    finished_at TEXT,                         -- set when every trial of the round has ended
    created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (search_id, round)
) STRICT;

-- Every request to a language model, whole. Never a key.
CREATE TABLE proposals (
    id                INTEGER PRIMARY KEY,
    search_id         INTEGER NOT NULL REFERENCES searches (id),
    round             INTEGER NOT NULL,
    model             TEXT    NOT NULL,
    prompt            TEXT    NOT NULL,
    reply             TEXT    NOT NULL,
    error             TEXT,
    prompt_tokens     INTEGER,
    completion_tokens INTEGER,
    cost_usd          REAL,
    created_at        TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

CREATE TABLE candidates (
    id         INTEGER PRIMARY KEY,
    search_id  INTEGER NOT NULL REFERENCES searches (id),
    round      INTEGER NOT NULL,              -- 0: the protected base rewards
    name       TEXT    NOT NULL,
    language   TEXT    NOT NULL CHECK (language IN ('rust', 'python')),
    source     TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,              -- of the normalised source
    rationale  TEXT    NOT NULL,
    parents    TEXT    NOT NULL,              -- JSON array of names
    status     TEXT    NOT NULL CHECK (status IN ('accepted', 'rejected', 'duplicate', 'unreadable')),
    reason     TEXT,                          -- why it is not accepted, one line or the compiler's own
    probe      TEXT,                          -- JSON of what the probe saw
    wasm       BLOB,                          -- what was screened is what is exported
    created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (search_id, name),
    CHECK ((status = 'accepted') = (wasm IS NOT NULL)),
    CHECK ((status = 'accepted') = (reason IS NULL))
) STRICT;
CREATE INDEX candidates_by_hash ON candidates (search_id, sha256);

CREATE TABLE ensembles (
    id          INTEGER PRIMARY KEY,
    search_id   INTEGER NOT NULL REFERENCES searches (id),
    name        TEXT    NOT NULL,
    aggregation TEXT    NOT NULL,
    UNIQUE (search_id, name)
) STRICT;

CREATE TABLE ensemble_members (
    ensemble_id  INTEGER NOT NULL REFERENCES ensembles (id),
    position     INTEGER NOT NULL,
    candidate_id INTEGER NOT NULL REFERENCES candidates (id),
    weight       REAL    NOT NULL,
    PRIMARY KEY (ensemble_id, position)
) STRICT;

-- A trial trains one arm: a candidate, an ensemble, or (both NULL) nothing, which evaluates the untouched base model.
CREATE TABLE trials (
    id           INTEGER PRIMARY KEY,
    search_id    INTEGER NOT NULL REFERENCES searches (id),
    candidate_id INTEGER REFERENCES candidates (id),
    ensemble_id  INTEGER REFERENCES ensembles (id),
    round        INTEGER NOT NULL,
    stage        TEXT    NOT NULL CHECK (stage IN ('screen', 'confirm')),
    number       INTEGER NOT NULL,            -- the rung of a screening, the seed's number of a confirmation
    seed         INTEGER NOT NULL,
    steps        INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'complete', 'pruned', 'failed')),
    step         INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    failure      TEXT,
    seconds      REAL,
    started_at   TEXT,
    finished_at  TEXT,
    CHECK (candidate_id IS NULL OR ensemble_id IS NULL),
    CHECK ((state = 'failed') = (failure IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX trials_by_arm ON trials (search_id, stage, number, ifnull(candidate_id, 0), ifnull(ensemble_id, 0));
CREATE INDEX trials_by_state ON trials (search_id, state);

-- Finished trials are immutable.
CREATE TRIGGER finished_trials_are_immutable BEFORE UPDATE ON trials
WHEN old.state IN ('complete', 'pruned', 'failed')
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;

CREATE TABLE evaluations (
    trial_id      INTEGER PRIMARY KEY REFERENCES trials (id),
    split         TEXT    NOT NULL CHECK (split IN ('dev', 'test')),
    outcomes      BLOB    NOT NULL,           -- one byte a question, as evaluator::Evaluation encodes it
    completions   TEXT    NOT NULL,           -- JSON array of strings
    f1            REAL    NOT NULL,
    f1_error      REAL    NOT NULL,           -- bootstrap standard error
    f1_lower      REAL    NOT NULL,
    f1_upper      REAL    NOT NULL,
    accuracy      REAL    NOT NULL,
    accuracy_lower REAL   NOT NULL,
    accuracy_upper REAL   NOT NULL,
    answer_rate   REAL    NOT NULL
) STRICT;

CREATE TRIGGER evaluations_are_immutable BEFORE UPDATE ON evaluations
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER evaluations_stay BEFORE DELETE ON evaluations
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER finished_trials_stay BEFORE DELETE ON trials
WHEN old.state IN ('complete', 'pruned', 'failed')
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;

-- Append-only while an attempt lasts: metrics of every optimiser step.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (id),
    step     INTEGER NOT NULL,
    metrics  TEXT    NOT NULL,                -- JSON of StepMetrics
    UNIQUE (trial_id, step)
) STRICT;
CREATE TRIGGER events_are_immutable BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'a step is recorded once'); END;

-- For `sqlite3 search.db 'select * from leaderboard'`.
CREATE VIEW leaderboard AS
SELECT t.search_id,
       CASE WHEN c.id IS NULL OR e.f1 IS NULL THEN NULL
            ELSE rank() OVER (PARTITION BY t.search_id, c.id IS NULL ORDER BY e.f1 DESC NULLS LAST, e.answer_rate DESC, c.id) END AS rank,
       coalesce(c.name, n.name, 'untouched')                              AS name,
       t.round, t.state, e.f1, e.f1_lower, e.f1_upper, e.accuracy, e.answer_rate, t.failure
FROM trials t
LEFT JOIN candidates c ON c.id = t.candidate_id
LEFT JOIN ensembles n ON n.id = t.ensemble_id
LEFT JOIN evaluations e ON e.trial_id = t.id
WHERE t.stage = 'screen'
ORDER BY e.f1 DESC NULLS LAST, e.answer_rate DESC, c.id;
