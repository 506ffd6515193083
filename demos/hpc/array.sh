#!/bin/bash
# One parameter, several values: a job and a folder of results for each, every one of them as in requeue.sh.
#
#   sbatch demos/hpc/array.sh my_wire.toml [--set KEY=VALUE ...]
#
# Results: my_wire-kappa-2.8e-14/, ... Submit from the top of the clone, or say where requeue.sh is, below.

#SBATCH --job-name=kappa
#SBATCH --array=0-2
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log

set -eu

requeue=demos/hpc/requeue.sh # from the folder where sbatch is called
key=material.gradient.kappa
values=(2.8e-14 5.6e-14 11.2e-14) # as many as --array counts
unit="J*m^2/mol"

config=$1
shift
value=${values[SLURM_ARRAY_TASK_ID]}
# The same process goes on, so that Slurm's signals reach it.
exec bash "$requeue" "$config" --output "$(basename "$config" .toml)-${key##*.}-$value" \
    --set "$key=$value $unit" "$@"
