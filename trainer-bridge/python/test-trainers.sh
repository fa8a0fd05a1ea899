#!/bin/sh
# Tests exports by the trainers' own code: ./trainer-bridge/python/test-trainers.sh [pytest's arguments]
#
# Makes a venv with verifiers and verl's wheel; TRL wants torch (some 3 GB with it), so it has one of its own, unless REWARD_SEARCH_TRL names an
# interpreter that has it and wasmtime. The program is built if REWARD_SEARCH_PROGRAM names none.
set -eu
cd "$(dirname "$0")"
venv=${REWARD_SEARCH_TRAINERS_VENV:-.venv-trainers}
python=${PYTHON:-python3}
pip="-m pip install --quiet --disable-pip-version-check"
if ! cat tests/requirements.txt tests/trainers.txt | cmp -s - "$venv/requirements.txt"; then
    "$python" -m venv "$venv"
    "$venv/bin/python" $pip --requirement tests/requirements.txt --requirement tests/trainers.txt
    "$venv/bin/python" $pip --no-deps verl==0.9.1
    cat tests/requirements.txt tests/trainers.txt > "$venv/requirements.txt"
fi
if [ -z "${REWARD_SEARCH_TRL:-}" ]; then
    REWARD_SEARCH_TRL=$PWD/$venv/trl/bin/python
    if [ ! -e "$venv/trl/complete" ]; then
        "$python" -m venv "$venv/trl"
        "$REWARD_SEARCH_TRL" $pip --extra-index-url https://download.pytorch.org/whl/cpu torch==2.15.0 trl==1.16.0 transformers==5.23.0 \
            peft==0.21.2 datasets==5.2.0 accelerate==1.15.0 wasmtime==50.0.1
        touch "$venv/trl/complete"
    fi
fi
if [ -z "${REWARD_SEARCH_PROGRAM:-}" ]; then
    cargo build --release --package orchestrator
    REWARD_SEARCH_PROGRAM=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/reward-search
fi
export REWARD_SEARCH_PROGRAM REWARD_SEARCH_TRL PYTHONPATH="$PWD/src" REWARD_SEARCH_REQUIRE_ALL=1
exec "$venv/bin/pytest" -p no:cacheprovider tests/test_trainers.py "$@"
