"""The searches of the experiment: which sittings each arm has, and what is kept of it."""
import json

from program import Failed, Search

ROUNDS, CANDIDATES, STEPS = 4, 6, 25
BUDGET = ROUNDS * CANDIDATES * STEPS  # 600 optimiser steps of candidates, the same for all arms
TRIES = 4  # of a mix, by the full system, out of the same budget
FULL = dict(candidates=10, gate="{ keep = 0.5 }", screen="rungs = [{ steps = 8, problems = 250, keep = 3 }, { steps = 25, problems = 500 }]")
# Of ten drafts the gate trains five, and a sixth where one kind would have none; at most three of a round climb.
GATED, CLIMB, FIRST, LAST = 6, 3, 8, 25
SEEDS = 2  # training seeds of a finalist
TO_THE_END, AGAIN = "to the end", "the same steps on Test"  # sittings that have all rounds
FLAT = {arm: dict(candidates=CANDIDATES, rounds=ROUNDS, feedback=told, confirm_seeds=SEEDS) for arm, told in (("random", "false"), ("feedback", "true"))}


def point(row):
    return round(row["f1"]["point"], 4) if row.get("f1") else None


def signs(row):
    return [flag["sign"] for flag in row.get("flags") or []]


def kept(search):
    """The figures of a search that its line has."""
    board = search.program.leaderboard(search.database)
    probes = {c["name"]: c for c in search.program.records("candidates", search.database)}
    late = [name for name, c in probes.items() if "was stopped after" in (c["reason"] or "")]
    if late:
        raise Failed(f"{search.database}: {', '.join(late)} compiled too slowly on so busy a machine, and the search took another course: delete {search.name}.* and run again")
    worth = lambda name: (probes.get(name, {}).get("probe") or {}).get("worth") or {}
    within = lambda name: (worth(name).get("auc_within") or {}).get("point")
    ranked = [row for row in board["candidates"] if row.get("f1")]
    corrected = board.get("best_f1_corrected_for_choice")
    return {
        "rounds": [{k: r[k] for k in ("round", "proposed", "accepted", "complete", "mean_f1", "best_f1")} for r in board["rounds"]],
        "candidates": [[r["name"], r["round"], r.get("rung", 0), point(r), within(r["name"]), r.get("same_as"), signs(r)] for r in ranked],
        "references": {r["name"]: point(r) for r in board["references"]},
        "corrected": round(corrected["point"], 4) if corrected else None,
        "mixes": [[m["members"], point(m), m["is_chosen"]] for m in board.get("mixes", [])],
        "confirmed": [{"name": c["name"], "members": c["members"], "steps": c["steps"], "per_seed": [round(f, 4) for f in c["per_seed"]],
                       "flags": signs(c)} for c in board["confirmed"]],
    }


def most_of_next(search, done):
    """Optimiser steps that the next round costs at most, by the last: whether the gate abstains is the same in all, and a rung that ranks once ranks always."""
    own = {c["name"] for c in search.program.records("candidates", search.database) if c.get("round") == done}
    trials = [t for t in search.program.records("trials", search.database) if t["stage"] == "screen" and t["arm"] in own]
    trained, climbed = (sum(t["number"] == rung for t in trials) for rung in (0, 1))
    most = GATED if trained <= GATED else FULL["candidates"]
    return most * FIRST + (most if climbed > CLIMB else CLIMB) * (LAST - FIRST)


class Arms:
    """All searches of one seed in one world, each arm a line."""

    def __init__(self, program, lines, world, hand):
        self.program, self.lines, self.world, self.hand = program, lines, world, hand

    def search(self, arm, seed):
        return Search(self.program, f"{self.world}-{seed}-{arm}", self.world, seed)

    def store(self, arm, seed, search, **more):
        self.lines.add({"kind": "search", "world": self.world, "arm": arm, "seed": seed, "program": self.program.version,
                        "cpu_s": search.cpu_s(), "cut_off": search.was_cut_off(), "steps": search.steps(), **kept(search), **more})

    def missing(self, arm, seed):
        return not self.lines.has(kind="search", world=self.world, arm=arm, seed=seed)

    def start(self, seed):
        """The first round and the controls, which two arms share."""
        search = self.search("start", seed)
        search.sit("first round", candidates=CANDIDATES, confirm_seeds=SEEDS, confirmed=0)
        return search

    def flat(self, arm, seed):
        if self.missing(arm, seed):
            start, search = self.start(seed), self.search(arm, seed)
            search.begins_as(start)
            search.sit(TO_THE_END, ensemble="sizes = [3]", **FLAT[arm])
            self.store(arm, seed, search)

    def was_run(self, search):
        """Whether the database of a flat schedule has all its rounds."""
        return any("cpu_s" in search.sittings().get(label, {}) for label in (TO_THE_END, AGAIN))

    def flattery(self, arm, seed):
        """What a winner is worth on Test after as many steps as on Dev, with other training seeds. Where the search's database is gone, it is run again."""
        line = self.lines.one(kind="search", world=self.world, arm=arm, seed=seed)
        if line and not self.lines.has(kind="flattery", world=self.world, arm=arm, seed=seed):
            search = self.search(arm, seed)
            search.sit(AGAIN, confirm_steps=STEPS, **FLAT[arm])
            by_name = lambda of: sorted((row[0], row[3]) for row in of["candidates"])
            if by_name(kept(search)) != by_name(line):
                raise Failed(f"{search.database}: run again, the search did not take the course of its line")
            self.lines.add({"kind": "flattery", "world": self.world, "arm": arm, "seed": seed, "program": self.program.version,
                            "confirmed": [row for row in kept(search)["confirmed"] if row["steps"] == STEPS]})

    def full(self, seed):
        if not self.missing("full", seed):
            return
        search = self.search("full", seed)
        search.sit("round 1", rounds=1, **FULL)
        third, rounds = search, int(BUDGET / 3 // most_of_next(search, 1))
        if rounds:
            search.sit("a third", rounds=rounds, confirm_seeds=SEEDS, **FULL)
        else:  # one round is more than a third: a search of its own, of fewer drafts
            third, rounds = self.search("third", seed), 1
            third.sit("a third", rounds=1, confirm_seeds=SEEDS, **FULL | dict(candidates=int(BUDGET / 3 / LAST)))
        if self.missing("third", seed):
            self.store("third", seed, third)
        while search.steps()["search"] + most_of_next(search, rounds) <= BUDGET - TRIES * STEPS:
            rounds += 1
            search.sit(f"round {rounds}", rounds=rounds, **FULL)
        greedy = f"sizes = [3]\ngreedy = {{ trials = {TRIES}, shortlist = 4, size = 3 }}"
        search.sit(TO_THE_END, rounds=rounds, ensemble=greedy, confirm_seeds=SEEDS, **FULL)
        self.store("full", seed, search)

    def by_hand(self, seed):
        if self.missing("hand", seed):
            search = self.search("hand", seed)
            files = json.dumps([str(path.resolve()) for path in sorted(self.hand.glob("*.rs"))])
            search.sit("all", rewards=files, gate="{ refuse_flat = false }", confirm_seeds=SEEDS, confirmed=2)
            self.store("hand", seed, search, hand=[path.stem for path in sorted(self.hand.glob("*.rs"))])

    def unflagged(self, arm, seed):
        """Where the audit flags a leader on Dev: what the best reward that it does not flag comes to, by the same seeds, if it has half the leader's F1."""
        line = self.lines.one(kind="search", world=self.world, arm=arm, seed=seed)
        if line is None or self.lines.has(kind="unflagged", world=self.world, arm=arm, seed=seed):
            return
        leader, *others = line["candidates"]
        best = next((row for row in others if row[2] == leader[2] and not row[6]), None)
        if not leader[6] or best is None or best[3] < leader[3] / 2:
            return
        of_search = self.program.records("candidates", self.search(arm, seed).database)
        file = self.program.folder / f"{best[0]}.rs"
        file.write_text(next(c["source"] for c in of_search if c["name"] == best[0]))
        search = self.search(f"{arm}-unflagged", seed)
        search.sit("all", rewards=json.dumps([str(file.resolve())]), gate="{ refuse_flat = false }", confirm_seeds=SEEDS, confirmed=2)
        confirmed = next(row for row in kept(search)["confirmed"] if row["name"] == best[0])
        self.lines.add({"kind": "unflagged", "world": self.world, "arm": arm, "seed": seed, "program": self.program.version,
                        "leader": leader, "best": best, "confirmed": confirmed})

    def searched(self, seed):
        """The arms of one seed: what can be compared is complete as early as can be."""
        self.flat("random", seed)
        self.flat("feedback", seed)
        self.full(seed)
