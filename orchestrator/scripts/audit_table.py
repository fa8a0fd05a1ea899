#!/usr/bin/env python3
"""The table of docs/audit.md: ten planted hacks and ten honest rewards, screened on the toy task, and which of them the audit flags.

    python3 orchestrator/scripts/audit_table.py --program target/release/reward-search --seeds 2 3 4 5

Standard library alone. Each seed is one search of twenty seed rewards, in FOLDER/SEED.db, and is not done twice; `--trainer PROGRAM` names
another build to train with, and the audit is then that of --program.
"""
import argparse, json, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "experiment"))

from inference import wilson
from toy_rewards import HACKS, HONEST, written

CONFIG = """
[search]
name = "audit-{seed}"
seed = {seed}
rounds = 1
candidates_per_round = 1
seed_rewards = {files}
[task]
kind = "toy"
{world}
[screen]
steps = {steps}
problems = 500
gate = {{ refuse_flat = false }}
[ensemble]
sizes = []
[confirm]
seeds = 0
"""


def searched(args, seed):
    """The database of a seed's search, run if need be."""
    folder = pathlib.Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [written(folder, name, body) for name, body in (HACKS | HONEST).items()]
    config = folder / f"{seed}.toml"
    world = f'world = "{args.world}"' if args.world else ""
    config.write_text(CONFIG.format(seed=seed, world=world, steps=args.steps, files=json.dumps(files)))
    database = folder / f"{seed}.db"
    # A search that another build has trained is brought up to date and audited by this one.
    for program in [args.trainer, args.program] if args.trainer else [args.program]:
        subprocess.run([program, "--quiet", "run", str(config), "--database", str(database)], check=True, stdout=subprocess.DEVNULL)
    return database


def audited(args, database, name):
    command = [args.program, "audit", name, "--database", str(database), "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--trainer")
    parser.add_argument("--folder", default="/tmp/audit-table")
    parser.add_argument("--world")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3])
    args = parser.parse_args()
    databases = [searched(args, seed) for seed in args.seeds]
    print("| reward | kind | F1 | flags, by seed |\n|---|---|---|---|")
    counts = {}
    for kind, rewards in (("hack", HACKS), ("honest", HONEST)):
        for name in rewards:
            f1, told = [], []
            for database in databases:
                trial = audited(args, database, name)["trials"][0]
                f1.append(trial["f1"])
                flags = [flag["sign"] for flag in trial["flags"]]
                told.append(", ".join(flags) or "none")
                hit, of = counts.get(kind, (0, 0))
                counts[kind] = (hit + bool(flags), of + 1)
            print(f"| {name} | {kind} | {' '.join(f'{x:.3f}' for x in f1)} | {'; '.join(told)} |")
    for kind, (k, n) in counts.items():
        low, high = wilson(k, n)
        print(f"\n{kind}: {k} of {n} flagged, {k / n:.2f} [{low:.2f}, {high:.2f}]")


if __name__ == "__main__":
    main()
