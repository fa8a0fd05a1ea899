#!/bin/sh
# Speed of the evaluator against Math-Verify and SciPy, in one run and alternating, in CPU seconds.
#
#   evaluator/scripts/compare.sh DATA [ROUNDS]
#
# DATA is the folder of reference data. A virtual environment with the pinned versions is made once beside the build
# (COMPARE_VENV names another place) and our binaries are built. The table goes to standard output.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
data=$(CDPATH= cd -- "${1:?give the folder of reference data}" && pwd)
rounds=${2:-3}
root=$here/../..
target=${CARGO_TARGET_DIR:-$root/target}
venv=${COMPARE_VENV:-$target/compare-venv}

if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
(cd "$root" && cargo build --release --package evaluator --examples)
exec "$venv/bin/python" "$here/compare.py" "$data" "$target/release/examples" "$rounds"
