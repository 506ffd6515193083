#!/bin/bash
# A run that outlives its jobs: preempted, or near the end of its time, it saves its state, returns to the queue
# and goes on where it was.
#
#   sbatch demos/hpc/requeue.sh my_wire.toml [--output DIR] [--set KEY=VALUE ...]
#
# CHEMOMECH_PREFIX is put before mpirun: a container or a wrapper, such as "./with-fenicsx".

#SBATCH --job-name=chemomech
#SBATCH --nodes=1
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

set -u
export OMP_NUM_THREADS=1 # threads of several ranks on the same cores slow each other

# Slurm preempts with SIGTERM to every process of the job. Open MPI's mpirun would kill its ranks at once, so it must
# not hear that; the ranks, whose signals it unblocks, do.
# shellcheck disable=SC2206 # the prefix is several words
launch=(${CHEMOMECH_PREFIX:-} env --block-signal=TERM mpirun -n "$SLURM_NTASKS")

# The number of an array's last task is the whole array's: tasks are named in full.
job=$SLURM_JOB_ID
[ -z "${SLURM_ARRAY_JOB_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
start=$((${SLURM_RESTART_COUNT:-0} + 1))

say() { echo "requeue.sh: job $job, start $start: $*"; }

# mpirun hands SIGUSR1 on to its ranks: they finish the time step and save their state.
# shellcheck disable=SC2317 # reached by the traps
hand_on() {
    heard=$1
    say "SIG$1; the run is asked to save its state"
    [ -z "$run" ] || kill -s USR1 "$run" 2> /dev/null
}

# A signal ends bash's wait, not what it waits for.
wait_for() {
    while kill -0 "$1" 2> /dev/null; do wait "$1"; done
    wait "$1"
}

# Cancelled, it must stay away; preempted, Slurm itself puts it back.
is_ending() { [ "$(squeue --noheader --job "$job" --format %T)" = COMPLETING ]; }

heard="" run=""
trap 'hand_on TERM' TERM
trap 'hand_on USR1' USR1
"${launch[@]}" chemomech run --restart "$@" &
run=$!
wait_for "$run"
status=$?

case $status in
    0 | 2 | 3) exit "$status" ;; # done, bad input, no convergence: another start would change nothing
    4) say "stopped early, its state is saved" ;;
    *)
        say "ended with exit code $status"
        [ -n "$heard" ] || exit "$status"
        say "stopped before it could save its state: the next start begins with an older one"
        ;;
esac
is_ending && exit "$status"
if [ "$start" -ge "${CHEMOMECH_MAX_STARTS:-100}" ]; then
    say "not started again after so many times (CHEMOMECH_MAX_STARTS)"
    exit "$status"
fi
say "back to the queue"
trap - TERM USR1
scontrol requeue "$job" && exec sleep 60 # Slurm ends it; a script that ends by itself has ended the job
exit "$status"
