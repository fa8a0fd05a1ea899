-- Two more views for `sqlite3 search.db`, beside `leaderboard`. Tests hold them to what the program itself shows.

-- What each round brought. Its figures are those of the first rung, which all its candidates meet. Rewards of the user's count as proposed by the first round.
CREATE VIEW round_summaries AS
WITH proposed AS (
    SELECT c.search_id, CASE c.origin WHEN 'seed' THEN 1 ELSE c.round END AS round, c.status, e.f1, t.seconds
    FROM candidates c
    LEFT JOIN trials t ON t.candidate_id = c.id AND t.stage = 'screen' AND t.number = 0
    LEFT JOIN evaluations e ON e.trial_id = t.id
    WHERE c.origin <> 'base'
)
SELECT p.search_id, p.round, count(*) AS proposed, sum(p.status = 'accepted') AS accepted, count(p.f1) AS complete,
       avg(p.f1) AS mean_f1, max(p.f1) AS best_f1, sum(p.seconds) AS seconds,
       (SELECT count(*) FROM proposals q WHERE q.search_id = p.search_id AND q.round = p.round) AS requests,
       (SELECT sum(q.cost_usd) FROM proposals q WHERE q.search_id = p.search_id AND q.round = p.round) AS cost_usd
FROM proposed p GROUP BY p.search_id, p.round ORDER BY p.search_id, p.round;

-- What rewards that name their parts paid for each, step by step.
CREATE VIEW components AS
SELECT t.search_id, CASE t.arm WHEN 'candidate' THEN c.name WHEN 'ensemble' THEN n.name WHEN 'base_only' THEN 'base-rewards-only' ELSE 'untouched' END AS name,
       t.stage, t.number, v.step, p.value ->> 'reward' AS reward, p.value ->> 'part' AS part, p.value ->> 'mean' AS mean,
       v.metrics ->> 'correct' AS correct
FROM trials t
LEFT JOIN candidates c ON c.id = t.candidate_id
LEFT JOIN ensembles n ON n.id = t.ensemble_id
JOIN events v ON v.trial_id = t.id, json_each(v.metrics, '$.parts') p;
