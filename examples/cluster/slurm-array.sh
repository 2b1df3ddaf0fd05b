#!/bin/sh
# Sixteen shards of one run as a Slurm array: every task processes its own shard, with its own ledger.
#
#   sbatch slurm-array.sh /shared/photos /shared/thumbs --size 800x600 --format webp
#   pixmill status /shared/thumbs        the combined status of all shards
#
# Submit it again to resume; use `sbatch --array=3,7 ...` to run only shards 3 and 7.
#SBATCH --job-name=pixmill
#SBATCH --array=1-16
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
set -eu

# Not SLURM_ARRAY_TASK_COUNT: that is 2 for --array=3,7, and a different number of shards splits the files differently.
SHARDS=16

source=$1
destination=$2
shift 2
exec pixmill run "$source" "$destination" "$@" \
  --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --workers "${SLURM_CPUS_PER_TASK:-1}" --progress plain
