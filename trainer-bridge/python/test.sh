#!/bin/sh
# Tests the Python package: ./trainer-bridge/python/test.sh [pytest's arguments]
#
# Makes its venv from tests/requirements.txt the first time and when that changes, and builds the program if REWARD_SEARCH_PROGRAM names none.
# PYTHON names another interpreter than python3. REWARD_SEARCH_TRL names an interpreter that has TRL (the extra `trl`): then the tests that
# train with it run, too; without it they are skipped, and say so.
set -eu
cd "$(dirname "$0")"
venv=${REWARD_SEARCH_TEST_VENV:-.venv}
if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/requirements.txt"
fi
if [ -z "${REWARD_SEARCH_PROGRAM:-}" ]; then
    cargo build --release --package orchestrator
    REWARD_SEARCH_PROGRAM=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/reward-search
fi
export REWARD_SEARCH_PROGRAM PYTHONPATH="$PWD/src"
"$venv/bin/mypy" src/reward_search
# What the trainers themselves make of exports is ./test-trainers.sh.
exec "$venv/bin/pytest" -p no:cacheprovider --ignore tests/test_trainers.py "$@"
