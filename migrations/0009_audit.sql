-- What a finished training leaves behind by which a hacked reward is told, and how the members of what was confirmed pay what their own
-- policies write: as it was measured, JSON. What of it is a flag is decided when it is read.

CREATE TABLE traces (
    trial_id INTEGER PRIMARY KEY REFERENCES trials (id),
    traces   TEXT    NOT NULL
) STRICT;
CREATE TRIGGER traces_are_immutable BEFORE UPDATE ON traces
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER traces_stay BEFORE DELETE ON traces
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;

-- Of the confirmation with the first seed, for all seeds of that arm.
CREATE TABLE attacks (
    trial_id INTEGER PRIMARY KEY REFERENCES trials (id),
    attacks  TEXT    NOT NULL                -- a JSON array, an object a member
) STRICT;
CREATE TRIGGER attacks_are_immutable BEFORE UPDATE ON attacks
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;
CREATE TRIGGER attacks_stay BEFORE DELETE ON attacks
BEGIN SELECT raise(ABORT, 'a finished trial is immutable'); END;

-- Which of the rewards that come with the program (origin 'base') are there to compare with and belong to no mix of base rewards.
CREATE TABLE controls (
    candidate_id INTEGER PRIMARY KEY REFERENCES candidates (id)
) STRICT;

-- As before, but controls are not ranked.
DROP VIEW leaderboard;
CREATE VIEW leaderboard AS
WITH screened AS (
    SELECT t.*, t.arm = 'candidate' AND t.candidate_id NOT IN (SELECT candidate_id FROM controls) AS is_candidate,
           row_number() OVER (
               PARTITION BY t.search_id, t.arm, t.candidate_id, t.ensemble_id
               ORDER BY e.f1 IS NULL, t.number DESC) AS place
    FROM trials t LEFT JOIN evaluations e ON e.trial_id = t.id
    WHERE t.stage = 'screen'
)
SELECT t.search_id,
       CASE WHEN NOT t.is_candidate OR e.f1 IS NULL THEN NULL
            ELSE row_number() OVER (PARTITION BY t.search_id, t.is_candidate
                                    ORDER BY e.f1 IS NULL, t.number DESC, e.f1 DESC, e.answer_rate DESC, c.id) END AS rank,
       CASE t.arm WHEN 'candidate' THEN c.name WHEN 'ensemble' THEN n.name WHEN 'base_only' THEN 'base-rewards-only' ELSE 'untouched' END AS name,
       c.origin, c.round, t.number AS rung, t.state, e.f1, e.f1_lower, e.f1_upper, e.accuracy, e.answer_rate, t.cause
FROM screened t
LEFT JOIN candidates c ON c.id = t.candidate_id
LEFT JOIN ensembles n ON n.id = t.ensemble_id
LEFT JOIN evaluations e ON e.trial_id = t.id
WHERE t.place = 1
ORDER BY e.f1 IS NULL, t.number DESC, e.f1 DESC, e.answer_rate DESC, c.id;
