#!/usr/bin/env bash
# Processor seconds of this trainer and of two rivals, in one run, one thread each: a hand-tuned PyTorch step of the tiny base model, and
# TRL's GRPOTrainer on tiny random Llamas that it makes itself and that both train with the same adapter, or in full.
#
#   PYTHON=VENV/bin/python RIVALS=FOLDER trainer-bridge/scripts/bench.sh
#
# VENV has requirements-trl.txt; FOLDER holds pytorch_step.py and trl_baseline.py. Prints one JSON line a measurement and a table of ratios.
# TRL's figures are whole runs (its mean step); ours are the best of six steps of the same shape: 4 prompts of about 21 tokens, 4
# completions each of the mean length that TRL sampled.
set -euo pipefail
: "${PYTHON:?a Python with requirements-trl.txt}" "${RIVALS:?the folder of pytorch_step.py and trl_baseline.py}"
RIVALS=$(realpath "$RIVALS")
cd "$(dirname "$0")/../.."
cargo build --release -p orchestrator -p evaluator -p sandbox -p trainer-bridge --example speed
speed=target/release/examples/speed
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$speed" | tee "$work/toy.json"
"$PYTHON" "$RIVALS/pytorch_step.py" --hidden 64 --layers 3 --heads 4 --kv-heads 4 --inter 176 --vocab 84 | tee "$work/pytorch.json"
"$speed" | tee "$work/toy-again.json"

# name, LoRA rank (0: in full), arguments of trl_baseline.py
against_trl() {
    local name=$1 rank=$2
    shift 2
    "$PYTHON" "$RIVALS/trl_baseline.py" --dir "$work/$name" --lora-r "$rank" "$@" 2>/dev/null | tail -1 >"$work/$name.trl.json"
    local length
    length=$("$PYTHON" -c 'import json,sys; r=json.load(open(sys.argv[1])); print(round(r["sample"]["tokens"]/r["sample"]["rows"]))' "$work/$name.trl.json")
    "$speed" "$work/$name/model" 4 4 21 21 "$length" "$length" "$length" "$rank" | tee "$work/$name.ours.json"
    cat "$work/$name.trl.json"
}
against_trl hidden64-full 0 --steps 10
against_trl hidden64-lora32 32 --steps 10
against_trl hidden256-full 0 --steps 5 --hidden 256 --inter 704 --layers 4 --heads 8 --kv-heads 4 --max-completion 128
against_trl hidden256-lora32 32 --steps 5 --hidden 256 --inter 704 --layers 4 --heads 8 --kv-heads 4 --max-completion 128

"$PYTHON" - "$work" <<'PY'
import json, sys

load = lambda name: json.load(open(f"{sys.argv[1]}/{name}.json"))
print("\n| work | this trainer | rival | rival / this |\n|---|---|---|---|")
row = lambda work, ours, theirs: print(f"| {work} | {ours:.4f} | {theirs:.4f} | {theirs / ours:.1f} |")
toy, torch = [load("toy")["timings"], load("toy-again")["timings"]], load("pytorch")
row("update, 16 x 8 rollouts, PyTorch", min(t["update_cpu_s"] for t in toy), min(torch["train_cpu_s"].values()))
row("sample 128 x 56, PyTorch", min(t["sample_cpu_s"] for t in toy), torch["sample_cpu_s"]["56"])
for name in ("hidden64-full", "hidden64-lora32", "hidden256-full", "hidden256-lora32"):
    ours, trl = load(f"{name}.ours")["timings"], load(f"{name}.trl")
    steps = trl["steps"]
    row(f"sample, {name}, TRL", ours["sample_cpu_s"], trl["sample"]["cpu_s"] / steps)
    row(f"update, {name}, TRL", ours["update_cpu_s"], trl["update"]["cpu_s"] / steps)
    total = trl["sample"]["cpu_s"] + trl["update"]["cpu_s"]
    row(f"both, {name}, TRL", ours["sample_cpu_s"] + ours["update_cpu_s"], total / steps)
PY
