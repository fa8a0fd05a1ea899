"""A million samples through `reward-search score --stdio` from a second process: throughput, memory, and kills.

    python3 stdio_load.py target/release/reward-search REWARD... [--samples 1000000] [--batch 64]

Needs nothing but Python 3 and Linux's /proc. Prints figures; exits 1 if memory grows or a kill leaves anything behind.
"""
import argparse
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time


def completions(batch):
    filler = "so we add the first number to the second one and carry on with the result . "
    for n in range(batch):
        working = filler * (4 + n % 7)
        yield f"<thinking> {working}{n} + {n} = {2 * n} . </thinking> <solution> {2 * n} </solution>"


def start(program, rewards):
    server = subprocess.Popen(
        [program, "score", "--stdio", *rewards], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    hello = json.loads(server.stdout.readline())
    assert hello["hello"]["protocol"] == 1, hello
    return server


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def left_behind(program):
    """Processes of the program, and files it may have made in the places for temporary ones."""
    running = set()
    for exe in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.path.samefile(exe, program):
                running.add(exe.split("/")[2])
        except OSError:
            pass
    return running


def load(program, rewards, samples, batch):
    server = start(program, rewards)
    request = json.dumps(
        {
            "id": 0,
            "prompts": [f"{n} + {n} ?" for n in range(batch)],
            "completions": list(completions(batch)),
            "answer": [str(2 * n) for n in range(batch)],
        }
    ).encode() + b"\n"
    rounds, first, checkpoints = samples // batch, None, []
    begun = time.monotonic()
    for number in range(rounds):
        server.stdin.write(request)
        server.stdin.flush()
        reply = server.stdout.readline()
        first = first or reply
        assert reply == first, "the same request, another reply"
        if number % max(1, rounds // 10) == rounds // 100:
            checkpoints.append(rss_kib(server.pid))
    wall = time.monotonic() - begun
    cpu = cpu_seconds(server.pid)
    done = rounds * batch
    scores = json.loads(first)
    assert all(scores["correct"]), scores
    server.stdin.close()
    assert server.wait(10) == 0
    print(f"{done} samples in {wall:.1f} s: {done / wall:.0f} a second of wall time, {done / cpu:.0f} a second of CPU time")
    print(f"resident memory, KiB: {checkpoints}")
    return checkpoints[-1] - checkpoints[0]


def kill_server(program, rewards):
    server = start(program, rewards)
    server.stdin.write(b'{"samples": [{"completion": "1", "answer": "1"}]}\n')
    server.stdin.flush()
    server.kill()
    return server.wait(10)


def kill_client(program, rewards):
    """A client of its own is killed in the middle of a request; the server must be gone soon after."""
    code = (
        "import subprocess, sys, json\n"
        "s = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "s.stdout.readline()\n"
        "print(s.pid, flush=True)\n"
        "r = json.dumps({'samples': [{'completion': 'a ' * 2000, 'answer': '1'}] * 64}).encode() + b'\\n'\n"
        "while True:\n"
        "    s.stdin.write(r); s.stdin.flush(); s.stdout.readline()\n"
    )
    client = subprocess.Popen([sys.executable, "-c", code, program, "score", "--stdio", *rewards], stdout=subprocess.PIPE)
    pid = int(client.stdout.readline())
    time.sleep(0.5)
    client.send_signal(signal.SIGKILL)
    client.wait()
    for _ in range(50):
        if not os.path.exists(f"/proc/{pid}"):
            return True
        time.sleep(0.1)
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("rewards", nargs="+")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    program, rewards = os.path.abspath(options.program), options.rewards
    before = left_behind(program)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        grown = load(program, rewards, options.samples, options.batch)
        kill_server(program, rewards)
        gone = kill_client(program, rewards)
        time.sleep(0.2)
        files = os.listdir(folder)
    processes = left_behind(program) - before
    print(f"grown by {grown} KiB; after kill -9 of either side: processes left {sorted(processes)}, temporary files left {files}")
    sys.exit(0 if grown < 2048 and gone and not processes and not files else 1)


main()
