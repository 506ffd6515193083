#!/bin/bash
# One run on one node. Submitted again, it goes on from its last checkpoint.
#
#   sbatch demos/hpc/job.sh my_wire.toml [--output DIR] [--set KEY=VALUE ...]
#
# CHEMOMECH_PREFIX is put before mpirun: a container or a wrapper, such as "./with-fenicsx".

#SBATCH --job-name=chemomech
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --no-requeue
#SBATCH --output=%x-%j.log

set -eu
export OMP_NUM_THREADS=1 # threads of several ranks on the same cores slow each other

# shellcheck disable=SC2086 # the prefix is several words
exec ${CHEMOMECH_PREFIX:-} mpirun -n "$SLURM_NTASKS" chemomech run --restart "$@"
