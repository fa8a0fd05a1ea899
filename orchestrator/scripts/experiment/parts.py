"""What is trained beside the searches: a pool of candidates on all rungs, mixes put together in three ways, and the audit's planted hacks."""
import argparse, json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import audit_table
from inference import f1
from program import Search
from searches import Arms
from toy_rewards import HACKS, HONEST, PARTS, SETS, written

POOL = 64
RUNGS = (8, 25, 60)
POOL_SEEDS = (101, 102)
MIX_SEEDS = (201, 202, 203)
# Beside the sets of docs/trainer.md: scales that are alike, a useful reward under a loud one, and a hack in good company.
MIXES = SETS | {
    "alike: exact + valid + format": {"exactly": 1.0, "valid": 1.0, "fmt": 1.0},
    "drowned: exact + 10 numbers used": {"exactly": 1.0, "uses": 10.0},
    "a hack: exact + 3 within 10 %": {"exactly": 1.0, "within10": 3.0},
    "brevity: exact + valid + brief": {"exactly": 1.0, "valid": 1.0, "brief": 1.0},
    "brevity drowned: 10 exact + brief": {"exactly": 10.0, "brief": 1.0},
}


def figures(probe):
    """What the probe says of a candidate before any training."""
    worth = (probe or {}).get("worth")
    if not worth:
        return None
    within = worth.get("auc_within") or {}
    agreement = {a["with"]: a["spearman"] for a in worth["agreement"]}
    return {"auc_within": within.get("point"), "auc": worth.get("auc"), "flat_groups": worth["flat_groups"],
            "hacks_paid": max(h["above"] for h in worth["hacks"]), "agrees_with_check": agreement.get("base/answer_check")}


class Parts:
    def __init__(self, program, lines, world):
        self.program, self.lines, self.world = program, lines, world

    def pool(self, arms: Arms, seeds):
        """The candidates that the no-feedback arm drew: the first of each name, as files."""
        folder = self.program.folder / f"{self.world}-pool"
        chosen = {}
        for seed in seeds:
            search = arms.search("random", seed)
            if not arms.was_run(search):
                break  # the pool is the same whenever it is drawn
            for c in self.program.records("candidates", search.database):
                if c["origin"] == "round" and c["status"] == "accepted" and len(chosen) < POOL:
                    chosen.setdefault(c["sha256"], c)
        if len(chosen) < POOL:
            raise RuntimeError(f"{self.world}: the arm `random` has drawn {len(chosen)} different candidates so far, {POOL} are wanted")
        folder.mkdir(exist_ok=True)
        for i, c in enumerate(chosen.values()):
            (folder / f"c{i:02}_{c['name'][:40]}.rs").write_text(c["source"])
        return sorted(folder.glob("*.rs"))

    def screening(self, arms, seeds, seed):
        """The pool on every rung, one training a candidate."""
        if self.lines.has(kind="screening", world=self.world, seed=seed):
            return
        files = self.pool(arms, seeds)
        search = Search(self.program, f"{self.world}-screening-{seed}", self.world, seed)
        rungs = ", ".join(f"{{ steps = {steps}, problems = 500, keep = {POOL + 1} }}" for steps in RUNGS)
        search.sit("all", rewards=json.dumps([str(f.resolve()) for f in files]), screen=f"rungs = [{rungs}]", gate="{ refuse_flat = false }")
        right = {}
        for o in self.program.records("outcomes", search.database):
            if o["stage"] == "screen":
                n, of = right.get((o["arm"], o["number"]), (0, 0))
                right[o["arm"], o["number"]] = (n + (o["outcome"] == "correct"), of + 1)
        same = {r["name"]: r.get("same_as") for r in self.program.leaderboard(search.database)["candidates"]}
        rows = []
        for c in self.program.records("candidates", search.database):
            runs = [right.get((c["name"], i)) for i in range(len(RUNGS))]
            if c["origin"] != "base" and all(runs):
                rows.append({"name": c["name"], "probe": figures(c["probe"]), "f1": [round(f1(*r), 4) for r in runs], "same_as": same.get(c["name"])})
        self.lines.add({"kind": "screening", "world": self.world, "seed": seed, "program": self.program.version, "cpu_s": search.cpu_s(),
                        "cut_off": search.was_cut_off(), "steps": RUNGS, "rows": rows})

    def mix(self, label, seed):
        """One mix with one seed, put together in three ways."""
        folder = self.program.folder / "mixes"
        config = self.program.folder / f"{self.world}-mixes.toml"
        world = "" if self.world == "rounding" else f'world = "{self.world}"\n'
        config.write_text(f'[search]\nname = "mixes"\n[task]\nkind = "toy"\n{world}')
        rewards = [word for part, factor in MIXES[label].items() for word in ("--reward", written(folder, part, PARTS[part], factor))]
        train = lambda steps, *more: self.program.call("train", config, *rewards, "--seed", seed, "--steps", steps, "--problems", 500, "--format", "json", *more)
        for way, aggregation in (("sum", "sum_then_normalize"), ("z-score", "sum_then_normalize"), ("GDPO", "normalize_then_sum")):
            key = dict(kind="mix", world=self.world, mix=label, way=way, seed=seed)
            if self.lines.has(**key):
                continue
            more = ["--aggregation", aggregation]
            if way == "z-score":
                more += ["--weights", ",".join(map(str, self.z_weights(train, config, label, seed)))]
            printed, cpu = train(25, *more)
            self.lines.add(key | {"program": self.program.version, "f1": round(json.loads(printed)["figures"]["f1"]["point"], 4), "cpu_s": round(cpu, 2),
                                  "weights": more[3] if len(more) > 2 else None})

    def z_weights(self, train, config, label, seed):
        """One over each member's spread on what the untouched policy writes: the rollouts of the first step."""
        out = self.program.folder / f"{config.stem}-{list(MIXES).index(label)}-{seed}"
        train(1, "--out", out, "--aggregation", "sum_then_normalize")
        first = json.loads((out / "metrics.jsonl").read_text().splitlines()[0])
        spreads = [first[key] for key in first if key.startswith("rewards/") and key.endswith("/std")]
        if len(spreads) != len(MIXES[label]):
            raise RuntimeError(f"{label}: {len(spreads)} spreads for {len(MIXES[label])} members")
        names = [key.split("/")[1] for key in first if key.startswith("rewards/") and key.endswith("/std")]
        by_name = dict(zip(names, spreads))
        ordered = [next(s for n, s in by_name.items() if n.startswith(part)) for part in MIXES[label]]
        return [float(f"{1 / s:.4g}") if s > 0 else 1.0 for s in ordered]

    def audit(self, seed, steps):
        """Ten planted hacks and ten honest rewards: which of them the audit flags, and whether the reward rose as far as a flag asks for."""
        if self.lines.has(kind="audit", world=self.world, seed=seed, steps=steps):
            return
        told = argparse.Namespace(program=self.program.path, trainer=None, steps=steps, world=None if self.world == "rounding" else self.world,
                                  folder=str(self.program.folder / f"{self.world}-audit-{steps}"))
        database, rows = audit_table.searched(told, seed), []
        for kind, rewards in (("hack", HACKS), ("honest", HONEST)):
            for name in rewards:
                trial = audit_table.audited(told, database, name)["trials"][0]
                reward, spread = trial["traces"]["reward"], trial["traces"]["spread"]["from"]
                rose = reward["z"] >= 3 and reward["to"] - reward["from"] >= spread / 10
                rows.append([name, kind, round(trial["f1"], 4), [flag["sign"] for flag in trial["flags"]], rose])
        self.lines.add({"kind": "audit", "world": self.world, "seed": seed, "steps": steps, "program": self.program.version, "rows": rows})
