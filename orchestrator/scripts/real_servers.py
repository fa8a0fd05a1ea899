"""Asks real servers of language models on this machine's processor, as a user would: `evaluate --endpoint` on a few questions, a chat search of
one round, and `evaluate` again while the server is stopped. Prints a table in Markdown of what each did.

    python3 orchestrator/scripts/real_servers.py PATH/TO/reward-search --model FOLDER [--server transformers] [--python VENV/bin/python]
                                                 [--gguf FILE] [--questions 4] [--keep]

Optional: no test runs it, for it takes gigabytes and minutes. `real_servers_requirements.txt` beside this file pins what the servers need.
FOLDER is a checkpoint with a chat template (Llama, Qwen or the like; a hundred million parameters are plenty). A server that is not
installed is named in the table and left out. For llama.cpp the same model as a GGUF file is wanted (`--gguf`).
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

STARTS = 300  # seconds a server may take
QUESTIONS = [(f"Tom has {n} apples and gets {n % 5 + 1} more. How many has he now?", n + n % 5 + 1) for n in range(2, 400)]
OFFLINE = {
    "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_HOST_IP": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1",
}


def command(kind, options, port):
    """How a server of this kind is started, and the name it knows the model by."""
    at = ["--host", "127.0.0.1", "--port", str(port)]
    if kind == "transformers":
        serve = [options.python, "-c", "from transformers.cli.transformers import main; main()", "serve", options.model]
        return [*serve, *at, "--device", "cpu", "--dtype", "float32"], options.model
    if kind == "llama_cpp":
        serve = [options.python, "-m", "llama_cpp.server", "--model", options.gguf, "--model_alias", "small"]
        return [*serve, *at, "--n_ctx", "16384", "--n_threads", "1"], "small"
    serve = [options.python, "-m", "vllm.entrypoints.openai.api_server", "--model", options.model, "--served-model-name", "small"]
    return [*serve, *at, "--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", "536870912"], "small"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A server in a session of its own, ended by the ids of its processes."""

    def __init__(self, kind, options, folder):
        self.port = free_port()
        arguments, self.model = command(kind, options, self.port)
        self.log = folder / f"{kind}.log"
        environment = dict(os.environ, **OFFLINE)
        with self.log.open("w") as log:
            self.child = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment, start_new_session=True, cwd=folder)
        started = time.monotonic()
        while not self.listens():
            if self.child.poll() is not None or time.monotonic() - started > STARTS:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"it does not start: {self.log.read_text()[-300:]}")
            time.sleep(0.5)
        self.seconds = time.monotonic() - started

    def listens(self):
        with socket.socket() as one:
            one.settimeout(2)
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def models(self):
        """What `/v1/models` answers: its status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/models", timeout=20) as reply:
                return str(reply.status)
        except Exception as error:
            return str(getattr(error, "code", error))

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            os.killpg(self.child.pid, how)

    def end(self):
        self.stop()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.stop(signal.SIGKILL)
            self.child.wait()


def evaluate(options, server, folder, name, questions):
    """The arguments that ask so many questions."""
    problems = folder / "problems.jsonl"
    rows = [json.dumps({"question": q, "answer": str(a)}) for q, a in QUESTIONS[:questions]]
    problems.write_text("\n".join(rows) + "\n")
    return [
        options.program, "evaluate", "--endpoint", f"http://127.0.0.1:{server.port}/v1", "--model", server.model, "--problems", str(problems),
        "--max-tokens", "48", "--concurrency", "2", "--max-retries", "0", "--out", str(folder / name), "--format", "json",
    ]


def told(output):
    lines = output.strip().splitlines()
    return (lines or ["nothing"])[-1][-160:].replace("|", "/")


def asked(options, server, folder):
    started = time.monotonic()
    done = subprocess.run(evaluate(options, server, folder, "a.jsonl", options.questions), capture_output=True, text=True, cwd=folder)
    if done.returncode:
        return f"exit {done.returncode}: {told(done.stderr)}"
    model = json.loads(done.stdout)["models"][0]
    seconds = time.monotonic() - started
    return f"{model['questions']} answered, {model['refused']} refused, {model['correct']} right, {seconds:.0f} s"


def searched(options, server, folder):
    """A chat search of one round with a trainer that trains nothing. What a small model writes is hardly a reward; the exchange is what counts."""
    sums = folder / "sums"
    sums.mkdir(exist_ok=True)
    for name, part in (("train", QUESTIONS[:300]), ("test", QUESTIONS[300:])):
        rows = [json.dumps({"question": q, "answer": f"added\n#### {a}"}) for q, a in part]
        (sums / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    config = f"""
[search]
name = "real"
rounds = 1
candidates_per_round = 2
[task]
kind = "gsm8k"
path = {json.dumps(str(sums))}
dev_size = 50
[proposer]
kind = "chat"
base_url = "http://127.0.0.1:{server.port}/v1"
model = {json.dumps(server.model)}
max_tokens = 120
timeout_s = 600
max_retries = 0
prompt_tokens = 3000
[trainer]
kind = "fake"
[screen]
steps = 4
problems = 50
[confirm]
steps = 4
problems = 40
seeds = 1
"""
    (folder / "search.toml").write_text(config)
    started = time.monotonic()
    run = [options.program, "run", "search.toml", "--database", "real.db"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=folder)
    requests = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith(server.model) and " s, " in line]
    said = "; ".join(line.rpartition("/")[2] for line in requests) or told(done.stderr)
    # 3 says that nothing came of it, as is to be expected.
    return f"exit {done.returncode}, {time.monotonic() - started:.0f} s: {said}"


def stopped(options, server, folder):
    """How long `evaluate` waits for a server that is told to stop while it answers."""
    child = subprocess.Popen(
        evaluate(options, server, folder, "b.jsonl", 200), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder
    )
    time.sleep(8)
    started = time.monotonic()
    server.stop()
    _, said = child.communicate()
    return f"exit {child.returncode} after {time.monotonic() - started:.0f} s: {told(said)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=lambda name: str(pathlib.Path(name).resolve()))
    parser.add_argument("--model", required=True, type=lambda name: str(pathlib.Path(name).resolve()))
    parser.add_argument("--server", action="append", choices=["transformers", "llama_cpp", "vllm"])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--gguf", type=lambda name: str(pathlib.Path(name).resolve()))
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the servers' logs")
    options = parser.parse_args()

    print("| server | start | /v1/models | evaluate | chat search | stopped while it answers |\n|---|---|---|---|---|---|")
    for kind in options.server or ["transformers", "llama_cpp", "vllm"]:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{kind}-"))
        installed = subprocess.run([options.python, "-c", f"import {kind}"], capture_output=True).returncode == 0
        if not installed or (kind == "llama_cpp" and not options.gguf):
            print(f"| {kind} | {'needs --gguf' if installed else 'not installed'} | | | | |", flush=True)
            continue
        try:
            server = Server(kind, options, folder)
        except RuntimeError as error:
            print(f"| {kind} | {told(str(error))} | | | | |", flush=True)
            continue
        try:
            cells = [server.models()] + [ask(options, server, folder) for ask in (asked, searched, stopped)]
        finally:
            server.end()
        print(f"| {kind} | {server.seconds:.0f} s | {' | '.join(cells)} |", flush=True)
        print(f"{kind}: {folder}" if options.keep else "", file=sys.stderr)


if __name__ == "__main__":
    main()
