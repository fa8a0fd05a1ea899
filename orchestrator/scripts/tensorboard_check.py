"""Has TensorBoard read the curves that a search wrote, and holds them to what the database has.

    python3 -m venv tb && tb/bin/pip install tensorboard==2.20.0
    tb/bin/python orchestrator/scripts/tensorboard_check.py CURVES DATABASE
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder, database = Path(sys.argv[1]), sqlite3.connect(sys.argv[2])
QUERY = """
SELECT CASE t.arm WHEN 'candidate' THEN c.name WHEN 'ensemble' THEN n.name WHEN 'base_only' THEN 'base-rewards-only' ELSE 'untouched' END,
       t.stage, t.number, e.f1, (SELECT json_group_array(json_array(v.step, v.metrics ->> 'reward')) FROM events v WHERE v.trial_id = t.id)
FROM trials t JOIN evaluations e ON e.trial_id = t.id
LEFT JOIN candidates c ON c.id = t.candidate_id LEFT JOIN ensembles n ON n.id = t.ensemble_id
"""
seen = 0
for name, stage, number, f1, rewards in database.execute(QUERY):
    run = folder / stage / name / (f"seed-{number + 1}" if stage == "confirm" else f"rung-{number + 1}" if number else "")
    read = EventAccumulator(str(run)).Reload()
    told = [event.value for event in read.Scalars("eval/f1")]
    assert abs(told[-1] - f1) < 1e-6, (run, told, f1)
    rewards = sorted(json.loads(rewards))
    if rewards:
        curve = [(event.step, event.value) for event in read.Scalars("train/reward")]
        assert [step for step, _ in curve] == [step for step, _ in rewards], (run, curve)
        assert all(abs(a - b) < 1e-5 * max(1, abs(b)) for (_, a), (_, b) in zip(curve, rewards)), run
    seen += 1
assert seen, "the database has no trials"
print(f"{seen} runs: TensorBoard reads of each the steps, rewards and F1 that the database has")
