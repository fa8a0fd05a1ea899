#!/usr/bin/env python3
"""The experiment of docs/experiments: searches in every world, with and without what they are to be believed for.

    python3 orchestrator/scripts/experiment/main.py run --program target/release/reward-search --world rounding
    python3 orchestrator/scripts/experiment/main.py real --program target/release/reward-search           # a real checkpoint on GSM8K
    python3 orchestrator/scripts/experiment/main.py report      # docs/experiments: the page's tables and the charts, from data/
    python3 orchestrator/scripts/experiment/main.py test        # the statistics, against known figures

Standard library alone. Every finished search is one line of docs/experiments/data, and is not done twice; what was cut off goes on where it was.
"""
import argparse, concurrent.futures, json, os, pathlib, re, signal, sys, time, unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PAGES = ROOT / "docs/experiments"
sys.path.insert(0, str(HERE))

from program import Lines, Program, Search
import inference
import report
import smollm2
from parts import MIXES, MIX_SEEDS, POOL_SEEDS, Parts
from searches import FLAT, Arms, kept

PARTS = ["arms", "hand", "screening", "flattery", "mixes", "audit", "unflagged"]
AUDITS = ((2, 25), (3, 25), (2, 60))  # seed, steps


def run(args):
    program = Program(args.program, args.folder)
    if args.nice:
        os.nice(args.nice)
    lines = Lines(pathlib.Path(args.data) / f"{args.world}.jsonl")
    arms = Arms(program, lines, args.world, pathlib.Path(args.hand))
    for stopped in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopped, program.stop)
    work = []
    if "arms" in args.parts:
        work += [(arms.searched, seed) for seed in args.seeds]
    if "flattery" in args.parts:
        work += [(arms.flattery, arm, seed) for seed in args.seeds for arm in FLAT]
    if "hand" in args.parts:
        work += [(arms.by_hand, seed) for seed in args.seeds]
    parts = Parts(program, lines, args.world)
    if "screening" in args.parts:
        work += [(parts.screening, arms, args.seeds, seed) for seed in POOL_SEEDS]
    if "mixes" in args.parts:
        work += [(parts.mix, mix, seed) for seed in MIX_SEEDS for mix in MIXES]
    if "audit" in args.parts:
        work += [(parts.audit, seed, steps) for seed, steps in AUDITS]
    if "unflagged" in args.parts:
        work += [(arms.unflagged, arm, seed) for seed in args.seeds for arm in (*FLAT, "full")]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for future in [pool.submit(what, *with_) for what, *with_ in work]:
            try:
                future.result()
            except Exception as error:  # the others go on; the same command tries this one again
                failed += 1
                print(error, file=sys.stderr, flush=True)
    return 1 if failed else 0


def real(args):
    """One search with a checkpoint that was made elsewhere: what it came to and what it cost."""
    program, lines = Program(args.program, args.folder), Lines(pathlib.Path(args.data) / "real.jsonl")
    if lines.all():
        return 0
    os.nice(args.nice)
    signal.signal(signal.SIGTERM, program.stop)
    told = (ROOT / "configs/gsm8k-smollm2.toml").read_text()
    told = re.sub(r'^model = .*$', f"model = {json.dumps(str(smollm2.made(args.checkpoint).resolve()))}", told, flags=re.M)
    if args.gsm8k:
        told = told.replace('kind = "gsm8k"', f'kind = "gsm8k"\npath = {json.dumps(args.gsm8k)}')
    config, database = program.folder / "real.toml", program.folder / "real.db"
    config.write_text(told)
    begun, went_on = time.monotonic(), database.exists()
    _, usage = program.measured("run", config, "--database", database)
    lines.add({"kind": "real", "program": program.version, "went_on": went_on, "wall_s": round(time.monotonic() - begun), "cpu_s": round(usage.ru_utime + usage.ru_stime),
               "most_memory_mb": round(usage.ru_maxrss / 1000), "steps": sum(t["step"] for t in program.records("trials", database)),
               **kept(Search(program, "real", "gsm8k", 1))})
    return 0


def made(data, folder=None):
    found = {path.stem: Lines(path).all() for path in sorted(pathlib.Path(data).glob("*.jsonl"))}
    return report.blocks(found, folder)


class Page(unittest.TestCase):
    def test_the_page_says_what_the_lines_say(self):
        page = (PAGES / "README.md").read_text()
        self.assertEqual(page, report.filled(page, made(PAGES / "data")), "`main.py report` makes it again")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "real", "report", "test"):
        command = commands.add_parser(name)
        command.add_argument("--data", default=str(PAGES / "data"))
        if name in ("run", "real"):
            command.add_argument("--program", required=True)
            command.add_argument("--nice", type=int, default=0)
            command.add_argument("--folder", default="experiment", help="where the databases lie")
        if name == "real":
            command.add_argument("--checkpoint", default="smollm2", help="where smollm2.py makes the checkpoint")
            command.add_argument("--gsm8k", help="the folder of GSM8K's files, if they are not where `data fetch` puts them")
        if name == "run":
            command.add_argument("--world", default="rounding")
            command.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
            command.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6, 7, 8])
            command.add_argument("--jobs", type=int, default=2)
            command.add_argument("--hand", default=str(ROOT / "configs/rewards"), help="the hand-designed rewards")
    args = parser.parse_args()
    if args.command in ("run", "real"):
        return run(args) if args.command == "run" else real(args)
    if args.command == "test":
        suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, (inference.Known, report.Judged, Page)))
        return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
    page = PAGES / "README.md"
    page.write_text(report.filled(page.read_text(), made(args.data, PAGES)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
