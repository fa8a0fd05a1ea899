#!/usr/bin/env python3
"""The tables of docs/trainer.md and docs/worlds.md: rewards trained one by one on the toy task with `reward-search train`, judged on Dev.

    python3 orchestrator/scripts/reward_table.py --program target/release/reward-search rewards   # 16 rewards x 4 seeds, 25 steps
    python3 orchestrator/scripts/reward_table.py --program ... confirm                            # 8 rewards x 2 seeds, 60 steps
    python3 orchestrator/scripts/reward_table.py --program ... aggregation                        # sum against GDPO, three sets
    python3 orchestrator/scripts/reward_table.py --program ... sync                               # sync_every 1, 5, 25
    python3 orchestrator/scripts/reward_table.py --program ... worlds [--world NAME]              # the 16 of configs/rewards, 2 seeds a world

Standard library alone. Every run is one line of FOLDER/runs.jsonl and is not done twice; the table is printed from that file, also with
--print alone. Processor seconds are the whole process's, start and judging included; the compiler ran before, in a run that does not count.
"""
import argparse, itertools, json, os, pathlib, statistics, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "experiment"))

from inference import spearman
from toy_rewards import PARTS, REWARDS, SETS, written

CONFIRMED = ["exsteps", "exact", "ex*valid", "paper+proc", "paper", "prox02", "prox10", "long"]
ORDERED = ["ex*valid", "exact", "process", "paper", "prox10", "format"]

# Steps after which each world tells rewards apart, and mixes of two that are trained there, too: each normalised, as in [ensemble].
WORLDS = {
    "rounding": (25, []),
    "sparse": (40, []),
    "rambling": (25, []),
    "muddled": (40, ["brief+process", "brief+exact_with_steps", "brief+near"]),
}
CONFIGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "configs", "rewards")
UNTOUCHED = "untouched"

parser = argparse.ArgumentParser()
parser.add_argument("table", choices=["rewards", "confirm", "aggregation", "sync", "worlds"])
parser.add_argument("--world", choices=list(WORLDS), action="append", help="only this one, of `worlds`")
parser.add_argument("--rewards", nargs="+", help="only these, of `worlds`: names of configs/rewards, and mixes as A+B")
parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32], help="of `worlds`")
parser.add_argument("--program", required=True)
parser.add_argument("--folder", default="reward-table")
parser.add_argument("--problems", type=int, default=2000)
parser.add_argument("--print", action="store_true")
args = parser.parse_args()
os.makedirs(args.folder, exist_ok=True)
LOG = os.path.join(args.folder, "runs.jsonl")


def source(name, factor):
    """A file with a reward: one of configs/rewards as it is where a path is given in place of a name."""
    if name.endswith(".rs"):
        return name
    return written(args.folder, name, REWARDS.get(name) or PARTS[name], factor)


def train(rewards, seed, steps, problems, aggregation="sum_then_normalize", sync=1, world="rounding"):
    """One run: its result, and its processor seconds, children included."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(f'[search]\nname = "table"\n[task]\nkind = "toy"\nworld = "{world}"\n[grpo]\nsync_every = {sync}\n')
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
    key = [label, seed, steps, named.get("aggregation"), named.get("sync", 1)] + [named[k] for k in ("world",) if k in named]
    if args.print or any(run["key"] == key for run in recorded()):
        return
    if label not in compiled:
        train(rewards, seed, 1, 10, **{k: v for k, v in named.items() if k == "world"})
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


# Student's t, 97.5 %, by seeds less one.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}


def in_world(world, seeds):
    """Trains the sixteen rewards and the world's mixes, and prints what came of them; the means by name."""
    steps, mixes = WORLDS[world]
    constant = os.path.join(args.folder, "constant.rs")
    with open(constant, "w") as file:
        file.write("pub fn reward(_sample: &Sample) -> f64 { 0.0 }\n")
    singles = sorted(name[:-3] for name in os.listdir(CONFIGS) if name.endswith(".rs"))
    path = lambda name: os.path.join(CONFIGS, f"{name}.rs")
    wanted = args.rewards or singles + mixes
    for seed in seeds:
        once(UNTOUCHED, {constant: 1.0}, seed, 1, world=world)
        for name in wanted:
            parts = {path(part): 1.0 for part in name.split("+")}
            once(name, parts, seed, steps, world=world, **({"aggregation": "normalize_then_sum"} if len(parts) > 1 else {}))
    runs = [r for r in recorded() if r["key"][5:] == [world] and r["seed"] in seeds and r["key"][2] in (1, steps)]
    rows = {}
    for run in runs:
        rows.setdefault(run["label"], {})[run["seed"]] = run
    means = {}
    print(f"\n### {world}, {steps} steps, seeds {', '.join(map(str, seeds))}\n")
    print("| reward | F1 mean | 95 % of seeds | seeds | accuracy | answered | CPU-s |\n|---|---|---|---|---|---|---|")
    for label, row in sorted(rows.items(), key=lambda item: -statistics.mean(run["f1"] for run in item[1].values())):
        if len(row) < len(seeds) or label not in wanted + [UNTOUCHED]:
            continue
        f1 = [row[s]["f1"] for s in seeds]
        mean = lambda key: statistics.mean(row[s][key] for s in seeds)
        means[label] = mean("f1")
        half = f"±{T[len(f1) - 1] * statistics.stdev(f1) / len(f1) ** 0.5:.3f}" if len(f1) > 1 else "–"
        print(f"| {label} | {mean('f1'):.3f} | {half} | {' '.join(f'{x:.3f}' for x in f1)} | {mean('accuracy'):.3f} | {mean('answered'):.3f} "
              f"| {mean('cpu_s'):.1f} |")
    return means


def check(tables):
    """What the worlds together are held to."""
    best = {}
    for world, means in tables.items():
        singles = {n: f1 for n, f1 in means.items() if "+" not in n and n != UNTOUCHED}
        best[world] = max(singles, key=singles.get)
        mixes = {n: f1 for n, f1 in means.items() if "+" in n}
        if mixes:
            mix = max(mixes, key=mixes.get)
            print(f"- {world}: the best mix is {mix} with {mixes[mix]:.3f}, the best reward by itself {best[world]} with {singles[best[world]]:.3f}"
                  f"{'' if mixes[mix] > singles[best[world]] else ' - THE MIX IS NOT BETTER'}")
    print(f"- the best reward of each world: {', '.join(f'{w}: {n}' for w, n in best.items())}")
    if len(best) > 1 and len(set(best.values())) == 1:
        print("- ONE REWARD IS BEST IN ALL")
    if "paper" in best.values():
        print("- THE PAPER'S BASE REWARDS ARE BEST SOMEWHERE")


if args.table == "worlds":
    names = args.world or list(WORLDS)
    tables = {world: in_world(world, args.seeds) for world in names}
    print()
    check(tables)
elif args.table == "rewards":
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
