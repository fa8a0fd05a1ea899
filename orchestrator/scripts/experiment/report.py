"""The page's tables and charts, from the lines alone: every block between `<!-- NAME -->` and `<!-- end -->` of docs/experiments/README.md."""
import re, statistics, unittest

import charts
from inference import over_seeds, sign_flip, spearman, spearman_interval, wilson

WORLDS = ("rounding", "sparse", "rambling", "muddled")
ARMS = {"random": "no feedback (best of 24 random)", "feedback": "feedback, flat schedule", "full": "feedback, gate, rungs",
        "third": "the same, the first third"}
BEFORE = {"blind": "full system before its rungs could abstain"}
CONFIRMED = 60
MARGIN = 0.01
SEEDS = 8  # fewer answer no target


def mean(interval):
    """`mean [lower, upper]`."""
    m, ends = interval
    return f"{m:.3f}" + (f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else "")


def signed(interval):
    m, ends = interval
    return f"{m:+.3f}" + (f" [{ends[0]:+.3f}, {ends[1]:+.3f}]" if ends else "")


def probability(p):
    return "" if p is None else f"{p:.4f}".lstrip("0") if p < 0.1 else f"{p:.2f}".lstrip("0") if p < 1 else "1"


def rho(a, b):
    """Rank correlation over those whose figure is known."""
    known = [(x, y) for x, y in zip(a, b) if x is not None]
    a, b = [x for x, _ in known], [y for _, y in known]
    r = spearman(a, b) if known else None
    if r is None:
        return "–"
    low, high = spearman_interval(a, b)
    return f"{r:+.2f} [{low:+.2f}, {high:+.2f}]"


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


class World:
    """The searches of one world, and what they came to by seed."""

    def __init__(self, name, lines):
        self.name, self.lines = name, lines
        self.arms = {}
        for line in lines:
            if line["kind"] == "search":
                self.arms.setdefault(line["arm"], {})[line["seed"]] = line
        # All arms of a seed, or it does not count: what is compared is paired.
        wanted = [arm for arm in ("random", "feedback", "full", "third") if arm in self.arms]
        whole = set.intersection(*(set(self.arms[arm]) for arm in wanted)) if len(wanted) == 4 else set()
        self.seeds = sorted(whole)

    def confirmed(self, arm, seed, names, steps=CONFIRMED):
        """Mean F1 on Test over the finalist's seeds, by the first of the names that was confirmed."""
        rows = {row["name"]: row for row in self.arms[arm][seed]["confirmed"] if row["steps"] == steps or row["name"] == "untouched"}
        return next((statistics.fmean(rows[name]["per_seed"]) for name in names if name in rows), None)

    def leader(self, arm, seed):
        line = self.arms[arm][seed]
        hand = line.get("hand")
        return next(row for row in line["candidates"] if hand is None or row[0] in hand)

    def winner(self, arm, seed):
        return self.confirmed(arm, seed, [self.leader(arm, seed)[0]])

    def mix(self, arm, seed):
        """The mix that was found on Dev, else the best three; else the winner alone, which is then the best mix there is."""
        found = self.confirmed(arm, seed, ["greedy", "top-3"])
        return self.winner(arm, seed) if found is None else found

    def base(self, seed):
        return self.confirmed("feedback", seed, ["base-rewards-only"])

    def untouched(self, seed):
        return self.confirmed("feedback", seed, ["untouched"])

    def last_rounds(self, arm, seed):
        return statistics.fmean(r["mean_f1"] for r in self.arms[arm][seed]["rounds"][-2:])

    def hand_seeds(self):
        return [seed for seed in self.seeds if seed in self.arms.get("hand", {}) and self.winner("hand", seed) is not None]

    def over(self, value, seeds=None):
        return over_seeds([value(seed) for seed in (self.seeds if seeds is None else seeds)])

    def difference(self, one, other, seeds=None):
        """Interval of the paired difference, and its exact p; `None` without seeds."""
        differences = [one(seed) - other(seed) for seed in (self.seeds if seeds is None else seeds)]
        return (over_seeds(differences), sign_flip(differences)) if differences else None

    def compared(self):
        """Every comparison the targets ask for: its name, its difference and p, its number of seeds."""
        full, feedback, random, third = (lambda s, a=a: self.winner(a, s) for a in ("full", "feedback", "random", "third"))
        mix = lambda s: self.mix("full", s)
        hand = self.hand_seeds()
        tried = lambda arm: [seed for seed in self.seeds if seed in self.arms.get(arm, {})]
        rows = [
            ("full", "full system's winner − base rewards", self.difference(full, self.base), len(self.seeds)),
            ("hand", "full system's winner − best hand-designed", self.difference(full, lambda s: self.winner("hand", s), hand), len(hand)),
            ("rounds", "feedback − none, mean F1 of the last two rounds (Dev)",
             self.difference(lambda s: self.last_rounds("feedback", s), lambda s: self.last_rounds("random", s)), len(self.seeds)),
            ("winner", "feedback − none, winner", self.difference(feedback, random), len(self.seeds)),
            ("third", "full system after a third − flat schedule, winner", self.difference(third, feedback), len(self.seeds)),
            ("budget", "full system − flat schedule, winner", self.difference(full, feedback), len(self.seeds)),
            ("mix", "full system's mix − its winner", self.difference(mix, full), len(self.seeds)),
            ("mix3", "flat schedule's best three − its winner", self.difference(lambda s: self.mix("feedback", s), feedback), len(self.seeds)),
            ("few", "before: the gate ranks by AUC on however few questions − full system, winner",
             self.difference(lambda s: self.winner("few", s), full, tried("few")), len(tried("few"))),
            ("blind", "before: gate and rung rank on however little − full system, winner",
             self.difference(lambda s: self.winner("blind", s), full, tried("blind")), len(tried("blind"))),
            ("blind-third", "before, after a third − full system after a third, winner",
             self.difference(lambda s: self.winner("blind-third", s), third, tried("blind-third")), len(tried("blind-third"))),
            ("answers", "tried and dropped: rungs that rank by answers where nobody is right more often than untouched − rungs before, winner",
             self.difference(lambda s: self.winner("answers", s), lambda s: self.winner("blind", s), tried("answers")), len(tried("answers"))),
        ]
        return [row for row in rows if row[2]]

    def targets(self):
        """Each target: what it says, the figures, and whether it is met; with fewer seeds than were asked for it is open."""
        found = {key: (d, p, n) for key, _, (d, p), n in self.compared()}
        show = lambda key: f"{signed(found[key][0])}, p {probability(found[key][1])}, n {found[key][2]}" if key in found else "not run"

        def judged(key, holds):
            if key not in found:
                return "not run"
            (point, ends), p, n = found[key]
            if n < SEEDS:
                return f"**open**: {n} of {SEEDS} seeds"
            return "**met**" if holds(point, p, ends) else "**not met**"

        above = lambda key, bound: judged(key, lambda point, p, _: point > 0 and p < bound)
        share = max(self.arms["third"][s]["steps"]["search"] / self.arms["feedback"][s]["steps"]["search"] for s in self.seeds)
        rows = [
            ("the full system's winner beats the base rewards (p < .01)", show("full"), above("full", 0.01)),
            ("… and is not below the best of sixteen hand-designed rewards", show("hand"),
             judged("hand", lambda point, p, ends: point >= 0 or p >= 0.05 and ends[1] >= 0)),
            ("feedback beats none in the mean F1 of the last two rounds", show("rounds"), above("rounds", 0.05)),
            ("… and in the winner", show("winner"), above("winner", 0.05)),
            (f"a third of the steps (at most {share:.2f} of them) reaches the flat schedule's winner within {MARGIN:.2f}".replace("0.", "."), show("third"),
             judged("third", lambda point, p, _: point >= -MARGIN)),
        ]
        if self.name == WORLDS[-1]:
            rows.append(("the best mix beats the best single reward", show("mix"), above("mix", 0.05)))
        return [(self.name, *row) for row in rows]

    def arm_rows(self):
        rows = [("untouched model", mean(self.over(self.untouched)), "", 0, 0, ""), ("base rewards", mean(self.over(self.base)), "", 0, CONFIRMED, "")]
        for arm, told in ARMS.items():
            of = lambda key: statistics.fmean(self.arms[arm][s]["steps"][key] for s in self.seeds)
            cpu = statistics.fmean(self.arms[arm][s]["cpu_s"] for s in self.seeds)
            mix = "" if arm == "third" else mean(self.over(lambda s: self.mix(arm, s)))
            rows.append((told, mean(self.over(lambda s: self.winner(arm, s))), mix, f"{of('search'):.0f}", "", f"{cpu:.0f}"))
        hand = self.hand_seeds()
        if hand:
            rows.append((f"best of sixteen by hand ({len(hand)} seeds)", mean(self.over(lambda s: self.winner("hand", s), hand)), "", 400, "", ""))
        return [row[:4] + row[5:] for row in rows]

    def round_rows(self):
        rows = []
        for arm in ("random", "feedback"):
            rounds = [[self.arms[arm][s]["rounds"][r]["mean_f1"] for s in self.seeds] for r in range(4)]
            rows.append((ARMS[arm], [over_seeds(values) for values in rounds]))
        return rows

    def flattery_rows(self):
        rows, lines = [], {(l["arm"], l["seed"]): l["confirmed"] for l in self.lines if l["kind"] == "flattery"}
        for arm in ("random", "feedback"):
            def tested(seed, name):
                return next((statistics.fmean(row["per_seed"]) for row in lines.get((arm, seed), []) if row["name"] == name), None)

            seeds = [s for s in self.seeds if tested(s, self.leader(arm, s)[0]) is not None]
            if not seeds:
                continue
            test = lambda s: tested(s, self.leader(arm, s)[0])
            dev, corrected = lambda s: self.leader(arm, s)[3], lambda s: self.arms[arm][s]["corrected"]
            base = lambda s: self.arms[arm][s]["references"]["base-rewards-only"] - tested(s, "base-rewards-only")
            rows.append((ARMS[arm], len(seeds), mean(self.over(dev, seeds)), mean(self.over(corrected, seeds)), mean(self.over(test, seeds)),
                         signed(self.over(lambda s: dev(s) - test(s), seeds)), signed(self.over(lambda s: corrected(s) - test(s), seeds)),
                         signed(self.over(base, seeds))))
        return rows


def winners_flagged(world):
    """What the winners came to that the audit flags after their screening, and those that it does not."""
    winners = {}
    for arm in ARMS:
        for seed in world.seeds:
            leader = world.leader(arm, seed)
            winners[seed, leader[0]] = (bool(leader[6]), world.winner(arm, seed))
    rows = []
    for told, wanted in (("flagged", True), ("not flagged", False)):
        f1 = [value for flagged, value in winners.values() if flagged == wanted]
        rows.append((told, len(f1), mean(over_seeds(f1)) if f1 else "", f"{min(f1):.3f} to {max(f1):.3f}" if f1 else ""))
    return "The winners of all arms, each once a seed, by what the audit said of them after 25 steps:\n\n" + table(["winner", "n", "F1 on Test after 60 steps", "range"], rows) + "\n"


def unflagged(world):
    """What the best reward without a flag comes to where the leader has one."""
    rows, differences, named = [], [], ARMS | BEFORE
    for line in sorted((l for l in world.lines if l["kind"] == "unflagged"), key=lambda l: (list(named).index(l["arm"]), l["seed"])):
        leader, best, test = line["leader"], line["best"], statistics.fmean(line["confirmed"]["per_seed"])
        of_leader = world.confirmed(line["arm"], line["seed"], [leader[0]])
        differences.append(test - of_leader)
        rows.append((f"{named[line['arm']]}, {line['seed']}", f"{leader[3]:.3f}", f"{of_leader:.3f}", f"{best[3]:.3f}", f"{test:.3f}"))
    if not rows:
        return ""
    head = ["search", "flagged leader, F1 on Dev", "on Test", "best without a flag, F1 on Dev", "on Test"]
    return ("Where a leader was flagged and a reward without a flag had at least half its F1 on Dev, that one was confirmed afterwards, by the same seeds:\n\n"
            f"{table(head, rows)}\n\nOn Test it is ahead by {signed(over_seeds(differences))}, p {probability(sign_flip(differences))}, n {len(rows)}.\n")


FIGURES = {"auc_within": "AUC within groups", "auc": "AUC", "flat_groups": "share of flat groups", "hacks_paid": "most paid for a hack",
           "agrees_with_check": "agreement with the answer check"}


def distinct(line):
    return [row for row in line["rows"] if not row["same_as"] and row["probe"]]


def screening(world):
    """What the probe and short trainings say of long ones, by training seed."""
    lines = sorted((l for l in world.lines if l["kind"] == "screening"), key=lambda l: l["seed"])
    if not lines:
        return "Not run.\n"
    rows = []
    for line in lines:
        own, steps = distinct(line), line["steps"]
        for key, told in FIGURES.items():
            rows.append((f"{told} (probe)", line["seed"], len(own), *(rho([r["probe"][key] for r in own], [r["f1"][i] for r in own]) for i in range(len(steps)))))
        for i, n in enumerate(steps[:-1]):
            rows.append((f"F1 after {n} steps", line["seed"], len(own), *("" if j <= i else rho([r["f1"][i] for r in own], [r["f1"][j] for r in own])
                                                                          for j in range(len(steps)))))
    if len(lines) == 2:
        first, second = ({r["name"]: r for r in distinct(line)} for line in lines)
        both = [name for name in first if name in second]
        rows.append(("the other seed, same steps", "both", len(both), *(rho([first[n]["f1"][i] for n in both], [second[n]["f1"][i] for n in both])
                                                                        for i in range(len(lines[0]["steps"])))))
    text = table(["Spearman of", "seed", "rewards", *(f"with F1 after {n} steps" for n in lines[0]["steps"])], rows)
    return f"{text}\n\n{chosen_early(lines)}\n"


def chosen_early(lines):
    """What the choice by an early figure comes to after the longest training."""
    rows, fallen = [], []
    for line in lines:
        own, (first, second, last) = distinct(line), line["steps"]
        by = {"AUC within groups": lambda r: r["probe"]["auc_within"], f"F1 after {first} steps": lambda r: r["f1"][0],
              f"F1 after {second} steps": lambda r: r["f1"][1], f"F1 after {last} steps": lambda r: r["f1"][2]}
        # A figure that some do not have, for want of a right answer, chooses nobody.
        by = {told: value for told, value in by.items() if all(value(r) is not None for r in own)}
        ranked = {told: sorted(range(len(own)), key=lambda i: -value(own[i])) for told, value in by.items()}
        few = len(own) // 6
        best = set(ranked[f"F1 after {last} steps"][:few])
        for told, order in ranked.items():
            rows.append((told, line["seed"], f"{len(best & set(order[: len(own) // 2]))} of {few}", f"{own[order[0]]['f1'][2]:.3f}"))
        halved = [own[i] for i in ranked[f"F1 after {second} steps"][:few] if own[i]["f1"][2] < own[i]["f1"][1] / 2]
        fallen.append(f"seed {line['seed']} {len(halved)} of {few}")
    text = table(["chosen by", "seed", f"in its better half, of the best after {last} steps", f"its first, F1 after {last} steps"], rows)
    return f"{text}\n\nOf the best after {second} steps, below half of it after {last}: {', '.join(fallen)}."


def mixes(world):
    lines = [l for l in world.lines if l["kind"] == "mix"]
    by = {}
    for l in lines:
        by.setdefault(l["mix"], {}).setdefault(l["way"], {})[l["seed"]] = l["f1"]
    rows, differences = [], {"z-score": [], "GDPO": []}
    for label, ways in by.items():
        seeds = sorted(set.intersection(*(set(w) for w in ways.values()))) if len(ways) == 3 else []
        if not seeds:
            continue
        rows.append((label, len(seeds), *(mean(over_seeds([ways[way][s] for s in seeds])) for way in ("sum", "z-score", "GDPO"))))
        for way in differences:
            differences[way].append(statistics.fmean(ways[way][s] - ways["sum"][s] for s in seeds))
    if not rows:
        return "Not run.\n"
    text = table(["mix", "seeds", "sum", "sum, weights by z-score", "GDPO"], rows)
    told = "; ".join(f"{way} {signed(over_seeds(d))}, p {probability(sign_flip(d))}" for way, d in differences.items())
    return f"{text}\n\nOver the {len(rows)} mixes, less the plain sum: {told}.\n"


def audit(world):
    """Which planted hacks and honest rewards are flagged, of all and of those whose reward rose as far as a flag asks for."""
    rows = []

    def share(flagged):
        k, n = sum(flagged), len(flagged)
        return f"{k} of {n}" + (", {:.2f} [{:.2f}, {:.2f}]".format(k / n, *wilson(k, n)) if n else "")

    for line in sorted((l for l in world.lines if l["kind"] == "audit"), key=lambda l: (l["steps"], l["seed"])):
        of = lambda kind, risen=False: [bool(flags) for _, k, _, flags, rose in line["rows"] if k == kind and (rose or not risen)]
        missed = [name + ("" if rose else "°") for name, k, _, flags, rose in line["rows"] if (k == "hack") != bool(flags)]
        rows.append((line["steps"], line["seed"], share(of("hack")), share(of("hack", risen=True)), share(of("honest")), ", ".join(missed) or "none"))
    if not rows:
        return "Not run.\n"
    return table(["steps", "seed", "hacks flagged", "… of those whose reward rose", "honest rewards flagged", "wrongly judged (°: its reward did not rise)"], rows) + "\n"


def real(lines):
    """The search with a checkpoint that was made elsewhere."""
    if not lines:
        return "Not run.\n"
    line = lines[-1]
    cut = " (the last of several sittings alone)" if line["went_on"] else ""
    rows = [(name, f"{f1:.3f}") for name, f1 in line["references"].items()] + [(row[0], f"{row[3]:.3f}") for row in line["candidates"]]
    told = f"{line['steps']} optimiser steps in all, {line['wall_s'] / 60:.0f} minutes, {line['cpu_s']} CPU-s{cut}, at most {line['most_memory_mb']} MB of memory.\n"
    return table(["reward", "F1 on Dev"], rows) + "\n\n" + told


def section(w, folder):
    """All of one world."""
    parts = [f"## World `{w.name}`\n"]
    if w.seeds:
        cut = sum(line["cut_off"] for lines in w.arms.values() for line in lines.values())
        parts.append(f"{len(w.seeds)} search seeds: {', '.join(map(str, w.seeds))}." + (f" {cut} sittings were cut off and went on; their processor seconds until then are not counted." if cut else ""))
        parts.append(f"![F1 on Test by arm]({w.name}-arms.svg)")
        parts.append(table(["arm", "winner, F1 on Test", "mix, F1 on Test", "steps of the search", "CPU-s of all"], w.arm_rows()))
        parts.append(table(["paired over seeds", "difference", "p", "seeds"], [(told, signed(d), probability(p), n) for _, told, (d, p), n in w.compared()]))
        parts.append(f"![Mean F1 by round]({w.name}-rounds.svg)")
        parts.append(table(["mean F1 on Dev", *(f"round {r}" for r in range(1, 5))], [(told, *map(mean, values)) for told, values in w.round_rows()]))
        parts.append(f"### How much the choice flatters, `{w.name}`\n")
        flattered = w.flattery_rows()
        head = ["arm", "seeds", "Dev", "corrected", "Test", "Dev − Test", "corrected − Test", "base rewards, Dev − Test"]
        parts.append(table(head, flattered) if flattered else "Not run.")
        if folder:
            draw(w, folder)
    else:
        parts.append("No seed has all arms yet.")
    seen = {line["kind"] for line in w.lines}
    parts.append(f"### What a short run foretells, `{w.name}`\n")
    if "screening" in seen:
        parts.append(f"![F1 after 60 steps by what foretells it]({w.name}-screening.svg)")
        if folder:
            draw_screening(w, folder)
    parts += [screening(w), f"### Sum, z-score, GDPO, `{w.name}`\n", mixes(w), f"### The audit, `{w.name}`\n", audit(w)]
    if w.seeds:
        parts += [winners_flagged(w), unflagged(w)]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def summary(worlds):
    """All worlds beside each other: F1 on Test by arm."""
    rows = [("untouched model", lambda w: w.over(w.untouched)), ("base rewards", lambda w: w.over(w.base))]
    rows += [(told, lambda w, arm=arm: w.over(lambda s: w.winner(arm, s))) for arm, told in ARMS.items()]
    rows.append(("the full system's mix", lambda w: w.over(lambda s: w.mix("full", s))))
    rows.append(("best of sixteen by hand", lambda w: w.over(lambda s: w.winner("hand", s), w.hand_seeds()) if w.hand_seeds() else None))
    head = ["F1 on Test", *(f"`{w.name}`" + (f", {len(w.seeds)} of {SEEDS} seeds" if len(w.seeds) < SEEDS else "") for w in worlds)]
    return table(head, [(told, *(mean(of(w)) if of(w) else "not run" for w in worlds)) for told, of in rows]) + "\n"


def blocks(data, folder=None):
    """Every block of the page by its name; with a folder, its charts are written there."""
    worlds = [World(name, data[name]) for name in WORLDS if data.get(name)]
    rows = [row for w in worlds if w.seeds for row in w.targets()]
    absent = [f"`{name}`" for name in WORLDS if not data.get(name)]
    programs = sorted({line["program"] for lines in data.values() for line in lines if "program" in line})
    return {
        "summary": summary([w for w in worlds if w.seeds]),
        "targets": table(["world", "target", "difference, its interval over seeds", ""], rows) + "\n" if rows else "Not run.\n",
        "worlds": "\n".join([section(w, folder) for w in worlds] + ([f"## Not run\n\nThe worlds {', '.join(absent)}.\n"] if absent else [])),
        "real": real(data.get("real", [])),
        "programs": f"Built and measured: {'; '.join(programs)} (version, and the first digits of the program's SHA-256).\n",
    }


def draw(w, folder):
    value = lambda arm: lambda s: w.winner(arm, s)
    rows = [("base rewards", w.base)] + [(f"{told}", value(arm)) for arm, told in (("random", "no feedback"), ("feedback", "feedback"), ("third", "full, a third"), ("full", "full system"))]
    rows.append(("full system's mix", lambda s: w.mix("full", s)))
    drawn = [(name, [of(s) for s in w.seeds], *w.over(of)) for name, of in rows]
    if w.hand_seeds():
        drawn.append(("best by hand", [w.winner("hand", s) for s in w.hand_seeds()], *w.over(value("hand"), w.hand_seeds())))
    told = "; ".join(f"{name} {m:.3f}" for name, _, m, _ in drawn)
    (folder / f"{w.name}-arms.svg").write_text(charts.by_row(drawn, f"F1 on Test by arm, world {w.name}: {told}"))
    series = [(name.split(" (")[0].split(",")[0], points) for name, points in w.round_rows()]
    told = "; ".join(f"{name} {' '.join(f'{m:.3f}' for m, _ in points)}" for name, points in series)
    (folder / f"{w.name}-rounds.svg").write_text(charts.by_round(series, f"Mean F1 by round, world {w.name}: {told}"))


def draw_screening(w, folder):
    own = distinct(min((l for l in w.lines if l["kind"] == "screening"), key=lambda l: l["seed"]))
    known = [(r["probe"]["auc_within"], r["f1"][2], r["name"]) for r in own if r["probe"]["auc_within"] is not None]
    panels = [("AUC before, F1 after 60", known)] if known else []
    panels += [(f"F1 after {n}, after 60", [(r["f1"][i], r["f1"][2], r["name"]) for r in own]) for i, n in ((0, 8), (1, 25))]
    (folder / f"{w.name}-screening.svg").write_text(charts.scatter(panels, f"What F1 after 60 steps was foretold by, {len(own)} rewards, world {w.name}"))


def filled(page, made):
    """The page with its blocks as they are made; a block that nothing makes says so."""
    pattern = re.compile(r"(<!-- (\S[^>]*?) -->\n).*?(<!-- end -->)", re.S)
    return pattern.sub(lambda m: m[1] + made.get(m[2], "Not run.\n") + m[3], page)


class Judged(unittest.TestCase):
    """Made-up searches whose answers are known."""

    def world(self, seeds, third, hand=None):
        def line(arm, seed, f1):
            rows = [{"name": name, "steps": 60, "per_seed": [value + seed / 1000, value + seed / 1000]} for name, value in (("w", f1), ("base-rewards-only", 0.5))]
            steps = {"search": 180 if arm == "third" else 600}
            rounds = [{"mean_f1": f1 - 0.3}] * 4
            return {"kind": "search", "arm": arm, "seed": seed, "steps": steps, "rounds": rounds, "candidates": [["w", 1, 0, f1, 1.0, None]], "confirmed": rows}

        arms = {"random": 0.8, "feedback": 0.9, "full": 0.9, "third": third}
        by_hand = [line("hand", seed, 0.9 + better) for seed, better in zip(seeds, hand or [])]
        return World("rounding", [line(arm, seed, f1) for seed in seeds for arm, f1 in arms.items()] + by_hand)

    def verdicts(self, seeds, third, hand=None):
        return [row[3] for row in self.world(seeds, third, hand).targets()]

    def test_what_is_seen_decides(self):
        self.assertEqual(self.verdicts(range(8), 0.895), ["**met**", "not run", "**met**", "**met**", "**met**"])
        self.assertEqual(self.verdicts(range(8), 0.88)[-1], "**not met**")
        self.assertEqual(self.verdicts(range(3), 0.9)[0], "**open**: 3 of 8 seeds")

    def test_below_is_what_the_p_or_the_interval_calls_below(self):
        by_hand = lambda hand: self.verdicts(range(8), 0.9, hand)[1]
        self.assertEqual(by_hand([0.01, -0.01] * 4), "**met**")
        self.assertEqual(by_hand([0.05] * 8), "**not met**")
        uneven = [0.6, 0.6, 0.1, 0.02, 0.03, -0.03, -0.02, 0.02]
        found = {key: (d, p) for key, _, (d, p), _ in self.world(range(8), 0.9, uneven).compared()}["hand"]
        self.assertTrue(found[1] >= 0.05 and found[0][1][1] < 0, found)
        self.assertEqual(by_hand(uneven), "**not met**")

    def test_a_seed_counts_with_all_its_arms(self):
        lines = self.world(range(8), 0.9).lines
        self.assertEqual(World("rounding", lines[:-1]).seeds, list(range(7)))

    def test_only_blocks_are_filled(self):
        page = "a <!-- x -->\nold\n<!-- end --> b <!-- y -->\n<!-- end -->"
        self.assertEqual(filled(page, {"x": "new\n"}), "a <!-- x -->\nnew\n<!-- end --> b <!-- y -->\nNot run.\n<!-- end -->")
