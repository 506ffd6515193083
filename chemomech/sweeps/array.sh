#!/bin/bash
# The cases of a sweep, a task for each. Finished cases end at once: submit it again to go on with the others.
# Afterwards: chemomech sweep FILE --output DIR --collect
#
# CHEMOMECH_PREFIX is put before chemomech: a container or a wrapper, such as "./with-fenicsx".

#SBATCH --job-name=$name
#SBATCH --array=0-$last
#SBATCH --nodes=1
#SBATCH --ntasks=$ranks
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log

set -u
file=$file
folder=$folder
# Tasks of an array are named in full: the number of the last one is the whole array's.
task=$${SLURM_ARRAY_JOB_ID}_$$SLURM_ARRAY_TASK_ID
start=$$(($${SLURM_RESTART_COUNT:-0} + 1))

heard="" run=""
trap 'heard=1; [ -z "$$run" ] || kill -USR1 "$$run" 2> /dev/null' TERM USR1
# Slurm preempts with SIGTERM to every process, which must not end chemomech before it listens.
# shellcheck disable=SC2086 # the prefix is several words
$${CHEMOMECH_PREFIX:-} env --ignore-signal=TERM chemomech sweep "$$file" --output "$$folder"$code \
    --case "$$SLURM_ARRAY_TASK_ID" --ranks "$$SLURM_NTASKS" &
run=$$!
# A signal ends the wait, not what it waits for.
while kill -0 "$$run" 2> /dev/null; do wait "$$run"; done
wait "$$run"
status=$$?

# Stopped: back to the queue, unless it is being cancelled or keeps coming back.
if [ "$$status" = 4 ] || { [ -n "$$heard" ] && [ "$$status" -gt 3 ]; }; then
    [ "$$(squeue --noheader --job "$$task" --format %T)" = COMPLETING ] && exit "$$status"
    [ "$$start" -ge "$${CHEMOMECH_MAX_STARTS:-100}" ] || scontrol requeue "$$task"
fi
exit "$$status"
