#!/bin/sh
# Builds the wheel, installs it into a new venv and uses it as somebody would who has no Rust: ./trainer-bridge/python/test-wheel.sh
#
# A search with rewards in Python (the first one on a machine builds the Python guest, which asks the package index), TRL reward functions,
# an export that scores, and a database looked into from pandas. REWARD_SEARCH_WHEEL names a wheel that is built already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
if [ -z "${REWARD_SEARCH_WHEEL:-}" ]; then
    "$python" -m venv "$work/build"
    "$work/build/bin/pip" install --quiet --disable-pip-version-check maturin==1.16.0
    (cd "$here" && PATH="$work/build/bin:$PATH" maturin build --release --out "$work/wheels")
    REWARD_SEARCH_WHEEL=$(echo "$work"/wheels/*.whl)
fi
ls -l "$REWARD_SEARCH_WHEEL"
# Its tag says which systems it runs on, and the licences travel with it.
"$python" - "$REWARD_SEARCH_WHEEL" <<'WHEEL'
import platform, sys, zipfile

wheel = zipfile.ZipFile(sys.argv[1])
names = {name.partition(".dist-info/")[2] for name in wheel.namelist()}
assert {"licenses/LICENSE-APACHE", "licenses/LICENSE-MIT"} <= names, names
assert "reward_search/py.typed" in wheel.namelist()
assert platform.system() != "Linux" or "-manylinux_" in sys.argv[1], sys.argv[1]
WHEEL
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$REWARD_SEARCH_WHEEL[export,pandas]"
cd "$work"
cat > rewards.py <<'REWARDS'
import re


def tagged(completions, **kwargs):
    """One solution, in its tags."""
    return [float(len(re.findall("<solution>.*?</solution>", text)) == 1) for text in completions]


def right(completions, correct, **kwargs):
    return [1.0 if yes else -0.1 for yes in correct]
REWARDS
cat > drafts.jsonl <<'DRAFTS'
{"name": "short", "language": "python", "code": "def reward(completions, correct, **kwargs):\n    return [yes / (1 + len(text)) for text, yes in zip(completions, correct)]\n"}
DRAFTS
cat > search.toml <<'SEARCH'
[search]
name = "wheel"
rounds = 1
candidates_per_round = 1
seed_rewards = ["rewards.py"]
[task]
kind = "toy"
[proposer]
kind = "replay"
path = "drafts.jsonl"
[screen]
steps = 2
problems = 20
[ensemble]
sizes = [2]
[confirm]
seeds = 0
SEARCH
cat > look.py <<'LOOK'
import reward_search

search = reward_search.open("wheel.db", pandas=True)
board = search.leaderboard()
print(board[["rank", "name", "f1"]].to_string(index=False))
assert len(search.curves("tagged")) == 2
assert "findall" in search.candidate("tagged").source
with reward_search.rewards("rewards.py") as rewards:
    columns = {"completions": ["<solution>4</solution>", "5"], "answer": ["4", "4"]}
    ours = [function(**columns) for function in rewards]
assert ours == [[1.0, 0.0], [1.0, -0.1]], ours
search.candidate("right").export("taken_along", to="trl,verl")
import taken_along

assert taken_along.right(**columns) == [1.0, -0.1]
LOOK
# No cargo, no rustc: the venv's own programs and the system's.
clean() { env -i HOME="$HOME" PATH="$work/venv/bin:/usr/bin:/bin" "$@"; }
! clean which cargo rustc
clean reward-search --help > /dev/null
# 3: it found nothing better than the untouched model, as two steps may well not.
clean reward-search run search.toml || [ $? -eq 3 ]
clean python look.py
echo "the wheel works"
