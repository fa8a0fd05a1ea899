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

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 10000))
ray=("$python" -m ray.scripts.scripts)
resources=(--num-cpus="${SLURM_CPUS_PER_TASK:-$(nproc)}" --num-gpus="${SLURM_GPUS_ON_NODE:-0}")

if "${ray[@]}" symmetric-run --help >/dev/null 2>&1; then
    exec srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
        "${ray[@]}" symmetric-run --address "$head:$port" --min-nodes "$SLURM_JOB_NUM_NODES" "${resources[@]}" -- "${search[@]}"
fi

# Without symmetric-run: the head, then the other nodes, then the search on the head. All end with the allocation.
srun --nodes=1 --ntasks=1 --overlap -w "$head" "${ray[@]}" start --head --block --port="$port" --dashboard-host=127.0.0.1 "${resources[@]}" &
sleep 20
others=$((SLURM_JOB_NUM_NODES - 1))
srun --nodes="$others" --ntasks="$others" --overlap --exclude="$head" "${ray[@]}" start --block --address="$head:$port" "${resources[@]}" &
sleep 20
srun --nodes=1 --ntasks=1 --overlap -w "$head" "${search[@]}"
