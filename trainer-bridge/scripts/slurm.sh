#!/bin/bash
#SBATCH --job-name=reward-search
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --output=reward-search-%j.log
#
# A search in a Slurm allocation: on one node its trials are processes (trainer.kind = "trl"), on several they are jobs of a Ray cluster of the
# allocation's nodes (trainer.kind = "ray"). docs/slurm.md is the manual.
#   sbatch --nodes=N --gres=gpu:8 trainer-bridge/scripts/slurm.sh CONFIG [more arguments of `reward-search run`]
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: sbatch [--nodes=N] slurm.sh CONFIG [arguments of reward-search run]" >&2
    exit 2
fi
python=${REWARD_SEARCH_PYTHON:-python3}
program=${REWARD_SEARCH_PROGRAM:-reward-search}
search=("$program" run "$@")

if [ "${SLURM_JOB_NUM_NODES:-1}" -eq 1 ]; then
    exec "${search[@]}"
fi

# Whoever reaches Ray's ports without a token may run anything as the user.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN

# Steps do not inherit what the job has of processors (Slurm 22.05 or newer): without this each would have one.
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-$(nproc)}
# `ray symmetric-run` calls `ray` by its name; the first imports from a shared filesystem take their time.
PATH=$(dirname "$(command -v "$python")"):$PATH
export PATH RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=${RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT:-300}

# This script runs on the first node. Its address as the others see it: many a node calls itself 127.0.1.1.
nodes=$SLURM_JOB_NUM_NODES
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(getent ahostsv4 "$head" | awk '$1 !~ /^127[.]/ && !found++ { print $1 }' || true)
address=${address:-$(hostname -I | cut -d ' ' -f 1)}:$((20000 + SLURM_JOB_ID % 10000))
resources=(--num-cpus="$SRUN_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}")

if ray symmetric-run --help >/dev/null 2>&1; then
    exec srun --nodes="$nodes" --ntasks="$nodes" ray symmetric-run --address "$address" --min-nodes "$nodes" "${resources[@]}" -- "${search[@]}"
fi

# Without symmetric-run: the head, then the other nodes, then the search on the head. All end with the allocation.
start() { # NODES WHERE ray start's arguments
    srun --nodes="$1" --ntasks="$1" --overlap "$2" ray start --block "${@:3}" "${resources[@]}" &
}
start 1 --nodelist="$head" --head --node-ip-address="${address%:*}" --port="${address#*:}" --dashboard-host=127.0.0.1
sleep 30
start $((nodes - 1)) --exclude="$head" --address="$address"
sleep 30
srun --nodes=1 --ntasks=1 --overlap --nodelist="$head" "${search[@]}"
