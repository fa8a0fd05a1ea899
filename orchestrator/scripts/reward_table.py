#!/usr/bin/env python3
"""The tables of docs/trainer.md: rewards trained one by one on the toy task with `reward-search train`, judged on Dev.

    python3 orchestrator/scripts/reward_table.py --program target/release/reward-search rewards   # 16 rewards x 4 seeds, 25 steps
    python3 orchestrator/scripts/reward_table.py --program ... confirm                            # 8 rewards x 2 seeds, 60 steps
    python3 orchestrator/scripts/reward_table.py --program ... aggregation                        # sum against GDPO, three sets
    python3 orchestrator/scripts/reward_table.py --program ... sync                               # sync_every 1, 5, 25

Standard library alone. Every run is one line of FOLDER/runs.jsonl and is not done twice; the table is printed from that file, also with
--print alone. Processor seconds are the whole process's, start and judging included; the compiler ran before, in a run that does not count.
"""
import argparse, itertools, json, os, pathlib, statistics, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "experiment"))

from inference import spearman
from toy_rewards import PARTS, REWARDS, SETS, written

CONFIRMED = ["exsteps", "exact", "ex*valid", "paper+proc", "paper", "prox02", "prox10", "long"]
ORDERED = ["ex*valid", "exact", "process", "paper", "prox10", "format"]

parser = argparse.ArgumentParser()
parser.add_argument("table", choices=["rewards", "confirm", "aggregation", "sync"])
parser.add_argument("--program", required=True)
parser.add_argument("--folder", default="reward-table")
parser.add_argument("--problems", type=int, default=2000)
parser.add_argument("--print", action="store_true")
args = parser.parse_args()
os.makedirs(args.folder, exist_ok=True)
LOG = os.path.join(args.folder, "runs.jsonl")


def source(name, factor):
    return written(args.folder, name, REWARDS.get(name) or PARTS[name], factor)


def train(rewards, seed, steps, problems, aggregation="sum_then_normalize", sync=1):
    """One run: its result, and its processor seconds, children included."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(f'[search]\nname = "table"\n[task]\nkind = "toy"\n[grpo]\nsync_every = {sync}\n')
        config.flush()
        command = [args.program, "train", config.name, "--seed", str(seed), "--steps", str(steps), "--problems", str(problems),
                   "--aggregation", aggregation, "--format", "json"]
        for name, factor in rewards.items():
            command += ["--reward", source(name, factor)]
        before = os.times()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate()
        if process.returncode:
            sys.exit(err.decode())
    after = os.times()
    return json.loads(out), after.children_user + after.children_system - before.children_user - before.children_system


def recorded():
    return [json.loads(line) for line in open(LOG)] if os.path.exists(LOG) else []


compiled = set()


def once(label, rewards, seed, steps, **named):
    key = [label, seed, steps, named.get("aggregation"), named.get("sync", 1)]
    if args.print or any(run["key"] == key for run in recorded()):
        return
    if label not in compiled:
        train(rewards, seed, 1, 10)
        compiled.add(label)
    result, cpu_s = train(rewards, seed, steps, args.problems, **named)
    f = result["figures"]
    run = dict(key=key, label=label, seed=seed, f1=f["f1"]["point"], accuracy=f["accuracy"]["point"], answered=f["answer_rate"],
               cpu_s=round(cpu_s, 2))
    with open(LOG, "a") as file:
        file.write(json.dumps(run) + "\n")


def table(steps, seeds, pick=lambda run: True):
    runs = [r for r in recorded() if r["key"][2] == steps and r["seed"] in seeds and r["key"][3:] == [None, 1] and pick(r)]
    rows = {}
    for run in runs:
        rows.setdefault(run["label"], {})[run["seed"]] = run
    full = {label: row for label, row in rows.items() if len(row) == len(seeds)}
    print("| reward | F1 mean | sample sd | seeds | accuracy | answered | CPU-s |\n|---|---|---|---|---|---|---|")
    mean = lambda row, key: statistics.mean(run[key] for run in row.values())
    for label, row in sorted(full.items(), key=lambda item: -mean(item[1], "f1")):
        f1 = [row[s]["f1"] for s in seeds]
        print(f"| {label} | {mean(row, 'f1'):.3f} | {statistics.stdev(f1):.3f} | {' '.join(f'{x:.3f}' for x in f1)} | {mean(row, 'accuracy'):.3f} "
              f"| {mean(row, 'answered'):.3f} | {mean(row, 'cpu_s'):.1f} |")
    if len(full) > 2:
        for a, b in itertools.combinations(seeds, 2):
            print(f"- Spearman of seeds {a} and {b}: {spearman([r[a]['f1'] for r in full.values()], [r[b]['f1'] for r in full.values()]):.3f}")
        cpu = [run["cpu_s"] for row in full.values() for run in row.values()]
        print(f"- {len(full)} rewards; pooled seed sd {statistics.mean(statistics.variance(r[s]['f1'] for s in seeds) for r in full.values()) ** 0.5:.4f}; "
              f"CPU-s a run: median {statistics.median(cpu):.1f}, least {min(cpu):.1f}, most {max(cpu):.1f}")
    return full


if args.table == "rewards":
    seeds = [30, 31, 32, 33]
    for seed in seeds:
        for name in REWARDS:
            once(name, {name: 1.0}, seed, 25)
    table(25, seeds)
elif args.table == "confirm":
    seeds = [40, 41]
    for seed in seeds:
        for name in CONFIRMED:
            once(name, {name: 1.0}, seed, 60)
    table(60, seeds)
elif args.table == "aggregation":
    print("| set | sum_then_normalize | normalize_then_sum |\n|---|---|---|")
    for label, parts in SETS.items():
        cells = []
        for aggregation in ("sum_then_normalize", "normalize_then_sum"):
            for seed in (30, 31):
                once(label, parts, seed, 25, aggregation=aggregation)
            cells.append(" ".join(f"{r['f1']:.3f}" for r in recorded() if r["label"] == label and r["key"][3] == aggregation))
        print(f"| {label} | {cells[0]} | {cells[1]} |")
else:
    seeds, by_sync = (30, 31), {}
    for sync in (1, 5, 25):
        for seed in seeds:
            for name in ORDERED:
                once(name, {name: 1.0}, seed, 25, sync=sync)
        runs = [r for r in recorded() if r["key"][2:] == [25, None, sync] and r["seed"] in seeds]
        by_sync[sync] = {name: statistics.mean(r["f1"] for r in runs if r["label"] == name) for name in ORDERED}
    print("| reward | " + " | ".join(f"sync_every {s}" for s in by_sync) + " |\n|---|---|---|---|")
    for name in ORDERED:
        print(f"| {name} | " + " | ".join(f"{f1[name]:.3f}" for f1 in by_sync.values()) + " |")
    online = [by_sync[1][n] for n in ORDERED]
    print("- Spearman with sync_every 1: " + ", ".join(f"{s}: {spearman(online, [by_sync[s][n] for n in ORDERED]):.3f}" for s in (5, 25)))
