#!/bin/sh
#SBATCH --array=1-4
#SBATCH --output=cards-%a.log
#SBATCH --open-mode=append
#SBATCH --requeue

# `sbatch slurm.sh`, in a folder that all nodes share. A task that runs again, on any node, finds its
# state there, and finishes what is left. auto/4 refuses a part of the array, such as --array=2-3.
#
# With one journal for all tasks, in PostgreSQL, --max-cost holds for all of them together; with a
# bucket, nothing but cards.jsonl has to be on a shared disk. Passwords are in ~/.pgpass (mode 0600):
# KONTEXT_JOURNAL=postgresql://kontext@db/kontext OUT=s3://my-bucket/cards sbatch slurm.sh
export KONTEXT_STATE_DIR="state/$SLURM_ARRAY_TASK_ID"
exec kontext generate -f cards.jsonl -d "${OUT:-cards}" --batch cards --shard auto/4 --max-cost 5
