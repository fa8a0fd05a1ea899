#!/bin/sh
# Tests exports by the trainers' own code: ./trainer-bridge/python/test-trainers.sh [pytest's arguments]
#
# Makes a venv with verifiers and verl's wheel; TRL wants torch (some 6 GB with it; PIP_EXTRA_INDEX_URL may name an index with builds for the
# processor alone, a fifth of that), so it has one of its own, with the versions of the package's extras, unless REWARD_SEARCH_TRL names an
# interpreter that has it and wasmtime. The program is built if REWARD_SEARCH_PROGRAM names none.
set -eu
cd "$(dirname "$0")"
venv=${REWARD_SEARCH_TRAINERS_VENV:-.venv-trainers}
python=${PYTHON:-python3}
pip="-m pip install --quiet --disable-pip-version-check"
mkdir -p "$venv" && venv=$(cd "$venv" && pwd)
if ! cat tests/requirements.txt tests/trainers.txt | cmp -s - "$venv/requirements.txt"; then
    "$python" -m venv "$venv"
    "$venv/bin/python" $pip --requirement tests/requirements.txt --requirement tests/trainers.txt
    "$venv/bin/python" $pip --no-deps verl==0.9.1
    cat tests/requirements.txt tests/trainers.txt > "$venv/requirements.txt"
fi
if [ -z "${REWARD_SEARCH_TRL:-}" ]; then
    REWARD_SEARCH_TRL=$venv/trl/bin/python
    if [ ! -e "$venv/trl/complete" ]; then
        "$python" -m venv "$venv/trl"
        # shellcheck disable=SC2046
        "$REWARD_SEARCH_TRL" $pip $("$REWARD_SEARCH_TRL" -c 'import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(*extras["trl"], *extras["export"])')
        touch "$venv/trl/complete"
    fi
fi
if [ -z "${REWARD_SEARCH_PROGRAM:-}" ]; then
    cargo build --release --package orchestrator
    REWARD_SEARCH_PROGRAM=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/reward-search
fi
export REWARD_SEARCH_PROGRAM REWARD_SEARCH_TRL PYTHONPATH="$PWD/src" REWARD_SEARCH_REQUIRE_ALL=1
exec "$venv/bin/pytest" -p no:cacheprovider tests/test_trainers.py "$@"
