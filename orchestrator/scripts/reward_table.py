#!/usr/bin/env python3
"""The tables of docs/trainer.md: rewards trained one by one on the toy task with `reward-search train`, judged on Dev.

    python3 orchestrator/scripts/reward_table.py --program target/release/reward-search rewards   # 16 rewards x 4 seeds, 25 steps
    python3 orchestrator/scripts/reward_table.py --program ... confirm                            # 8 rewards x 2 seeds, 60 steps
    python3 orchestrator/scripts/reward_table.py --program ... aggregation                        # sum against GDPO, three sets
    python3 orchestrator/scripts/reward_table.py --program ... sync                               # sync_every 1, 5, 25

Standard library alone. Every run is one line of FOLDER/runs.jsonl and is not done twice; the table is printed from that file, also with
--print alone. Processor seconds are the whole process's, start and judging included; the compiler ran before, in a run that does not count.
"""
import argparse, itertools, json, os, statistics, subprocess, sys, tempfile

PRELUDE = """
fn fmt(s: &Sample) -> f64 { if in_format(s.completion(), &["thinking", "solution"]) { 1.0 } else { 0.0 } }
fn working<'a>(s: &'a Sample) -> &'a str { tag(s.completion(), "thinking").unwrap_or("") }
fn stated(s: &Sample) -> Option<f64> { s.extracted().and_then(number) }
fn exactly(s: &Sample) -> f64 { if s.correct() { 1.0 } else { 0.0 } }
fn error(s: &Sample) -> Option<f64> { Some((stated(s)? - number(s.answer())?).abs()) }
fn right(s: &Sample) -> f64 { number(s.answer()).unwrap_or(0.0) }
fn tags(s: &Sample) -> f64 {
    ["<thinking>", "</thinking>", "<solution>", "</solution>"].iter().map(|t| if count(s.completion(), t) == 1 { 0.5 } else { -1.0 }).sum()
}
fn check(s: &Sample, close: bool) -> f64 {
    let Some(given) = stated(s) else { return 0.0 };
    if s.correct() { return 3.0; }
    let ratio = if right(s) == 0.0 { 0.0 } else { given / right(s) };
    if close && (0.9..=1.1).contains(&ratio) { 1.0 } else if close && (0.8..=1.2).contains(&ratio) { 0.5 } else { -1.5 }
}
fn paper(s: &Sample) -> f64 { 3.0 * fmt(s) + tags(s) + check(s, true) }
fn valid(s: &Sample) -> f64 { valid_share(working(s)) }
fn link(s: &Sample) -> f64 {
    match (last_result(working(s)), stated(s)) { (Some(a), Some(b)) if nearly_equal(a, b) => 1.0, _ => 0.0 }
}
fn uses(s: &Sample) -> f64 { number_overlap(s.prompt(), working(s)) }
fn chain(s: &Sample) -> f64 {
    let steps: Vec<_> = equations(working(s)).collect();
    let Some((last, earlier)) = steps.split_last() else { return 0.0 };
    if earlier.iter().any(|step| last.uses(step.result())) { 1.0 } else { 0.0 }
}
fn near(s: &Sample, width: f64) -> f64 { error(s).map_or(0.0, |e| (-e / (1.0 + width * right(s).abs())).exp()) }
fn within10(s: &Sample) -> f64 { if error(s).is_some_and(|e| e <= 0.1 * right(s).abs()) { 1.0 } else { 0.0 } }
fn tokens(s: &Sample) -> f64 {
    s.completion().split_whitespace().map(|w| if w.bytes().all(|b| b.is_ascii_digit()) { w.len() } else { 1 }).sum::<usize>() as f64
}
"""
EXACT = "exactly(s) + 0.2 * fmt(s)"
REWARDS = {
    "paper": "paper(s)",
    "exact": EXACT,
    "ex*valid": f"({EXACT}) * (0.3 + 0.7 * valid(s))",
    "exsteps": "2.0 * exactly(s) + 0.5 * valid(s) + 0.5 * link(s) + 0.2 * fmt(s)",
    "papernoclose": "3.0 * fmt(s) + tags(s) + check(s, false)",
    "paper+proc": "paper(s) + valid(s) + link(s) + uses(s)",
    "paper+10exact": "paper(s) + 10.0 * exactly(s)",
    "paper-approx": "paper(s) - if s.completion().contains('~') { 2.0 } else { 0.0 }",
    "prox10": "near(s, 0.1) + 0.2 * fmt(s)",
    "prox02": "near(s, 0.02) + 0.2 * fmt(s)",
    "tol10": "within10(s) + 0.2 * fmt(s)",
    "process": "valid(s) + link(s) + uses(s) + chain(s) + 0.2 * fmt(s)",
    "format": "3.0 * fmt(s) + tags(s)",
    "long": "tokens(s) / 20.0",
    # A reward cannot draw: a hash of the completion stands for chance, the same for the same text.
    "random": "{ let h = s.completion().bytes().fold(2166136261_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(16777619)); f64::from(h >> 8) / 16777216.0 }",
    "inverted": "-check(s, true) + 0.2 * fmt(s)",
}
PARTS = {"within10": "within10(s)", "exactly": "exactly(s)", "valid": "valid(s)", "fmt": "fmt(s)", "uses": "uses(s)", "tags": "tags(s)", "check": "check(s, true)"}
# The factors are part of the rewards: as weights of the mix they would count whatever the aggregation.
SETS = {
    "scales2: 10 within10 + exact + .1 valid + fmt": {"within10": 10.0, "exactly": 1.0, "valid": 0.1, "fmt": 1.0},
    "ex10: exact + 10 fmt + .1 valid + .1 uses": {"exactly": 1.0, "fmt": 10.0, "valid": 0.1, "uses": 0.1},
    "the paper's three: 3 fmt + tags + check": {"fmt": 3.0, "tags": 1.0, "check": 1.0},
}
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
    path = os.path.join(args.folder, f"{name.replace('*', '_x_')}_{factor}.rs")
    body = REWARDS.get(name) or PARTS[name]
    with open(path, "w") as file:
        file.write(PRELUDE + f"pub fn reward(s: &Sample) -> f64 {{ let value: f64 = {body}; {factor} * value }}\n")
    return path


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


def ranks(values):
    """Ranks from 1, ties shared."""
    ordered = sorted(values)
    return [ordered.index(v) + (ordered.count(v) + 1) / 2 for v in values]


def spearman(a, b):
    return statistics.correlation(ranks(a), ranks(b))


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
