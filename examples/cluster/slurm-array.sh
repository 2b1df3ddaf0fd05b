#!/bin/sh
# Sixteen shards of one output as a Slurm array: every task makes its own part, with a ledger of its own.
#
#   sbatch slurm-array.sh /shared/photos /shared/thumbs --size 800x600 --format webp
#   pixmill status /shared/thumbs        all shards as one
#
# Submit it again to go on where it stopped; `sbatch --array=3,7 ...` for shards 3 and 7 alone.
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

# Not SLURM_ARRAY_TASK_COUNT: that is 2 for --array=3,7, and another number of shards is another split.
SHARDS=16

source=$1
destination=$2
shift 2
exec pixmill run "$source" "$destination" "$@" \
  --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --workers "${SLURM_CPUS_PER_TASK:-1}" --progress plain
