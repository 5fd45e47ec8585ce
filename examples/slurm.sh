#!/bin/sh
#SBATCH --array=1-4
#SBATCH --output=cards-%a.log
#SBATCH --open-mode=append
#SBATCH --requeue

# `sbatch slurm.sh`, in a folder that all nodes share. A task that runs again, on any node, finds its
# state there, and finishes what is left. auto/4 refuses a part of the array, such as --array=2-3.
export KONTEXT_STATE_DIR="state/$SLURM_ARRAY_TASK_ID"
exec kontext generate -f cards.jsonl -d cards --shard auto/4 --max-cost 5
