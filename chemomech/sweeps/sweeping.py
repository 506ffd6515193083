"""Check, start, continue and collect the cases of a sweep."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from mpi4py import MPI

from chemomech.errors import ConvergenceError, InputError, InterruptedRunError, StoppedEarly
from chemomech.output.folder_lock import FolderLock
from chemomech.sweeps.cases import Sweep
from chemomech.sweeps.folder import OVERVIEW, SUMMARY, CaseFolder, Status, SweepFolder
from chemomech.sweeps.jobs import JobPool
from chemomech.sweeps.summary import write_summary

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobLayout:
    """Number of cases at a time, and of MPI ranks of each."""

    jobs: int
    ranks: int

    @classmethod
    def choose(cls, cases: int, jobs: int | None = None, ranks: int | None = None) -> JobLayout:
        """Fill the cores this process may use, with cases rather than with ranks.

        Without a number of cases at a time as many as fit run; without one of ranks each has one,
        or what is left where there are fewer cases than cores.
        """
        cores = len(os.sched_getaffinity(0))
        if jobs is None:
            jobs = max(1, min(cases, cores // (ranks or 1)))
        return cls(jobs, ranks or max(1, cores // jobs))


def run_sweep(sweep: Sweep, output: Path, layout: JobLayout, *, retry: bool = False) -> str:
    """Run the cases of a sweep that are not done, and say in words what was done.

    Finished cases are not run again, stopped ones go on from their checkpoints. Failed ones are
    named, and run again with ``retry``. The output folder is new, or that of the same sweep.

    Raises:
        InputError: The folder holds something else, a case in it has changed, or another process
            is at work in it.
        ConvergenceError: A case has failed; all others were run.
        StoppedEarly: A signal or Ctrl-C asked to stop; another call goes on.
    """
    folder = SweepFolder(output, sweep)
    with FolderLock(output, MPI.COMM_SELF):
        folder.check()
        folder.prepare()
        wanted = {Status.WAITING, Status.STOPPED} | ({Status.FAILED} if retry else set())
        to_run = [case for case in folder.cases if case.find_status() in wanted]
        if len(to_run) < len(folder.cases):
            _log.info("%d of %d cases to run", len(to_run), len(folder.cases))
        pool = JobPool(layout.jobs, layout.ranks)
        pool.run(folder, to_run)
        collect(folder)
    _raise_failures(folder, pool)
    return f"{len(folder.cases)} cases done: {output / SUMMARY}, {output / OVERVIEW}"


def run_case(sweep: Sweep, output: Path, number: int, ranks: int) -> str:
    """Run one case of a sweep, counted from 0, as a task of a batch system does.

    Tasks may share the output folder; a failed case runs again. What was done is said in words.

    Raises:
        InputError: There is no such case, another process runs it, or the folder holds something
            else.
        ConvergenceError: The case has failed.
        StoppedEarly: A signal or Ctrl-C asked to stop; another call goes on.
    """
    if not 0 <= number < len(sweep.cases):
        raise InputError(
            f"there is no case {number}; they count from 0 to {len(sweep.cases) - 1}", key="--case"
        )
    folder = SweepFolder(output, sweep)
    folder.check()
    folder.prepare()
    case = folder.cases[number]
    if case.find_status() is Status.DONE:
        return f"{case.case.name} is done"
    pool = JobPool(1, ranks)
    pool.run(folder, [case])
    _raise_failures(SweepFolder(output, _only(sweep, number)), pool)
    collecting = f"chemomech sweep {quote(str(sweep.file))} --collect"
    return f"{case.case.name} is done; when all are: {collecting}"


def collect(folder: SweepFolder) -> int:
    """Write table, summary and overview of what is there; return the number of finished cases."""
    folder.write_table()
    return write_summary(folder)


def _only(sweep: Sweep, number: int) -> Sweep:
    return replace(sweep, cases=(sweep.cases[number],))


def _raise_failures(folder: SweepFolder, pool: JobPool) -> None:
    if pool.lock_errors:
        raise pool.lock_errors[0]
    states = [(case, case.find_status()) for case in folder.cases]
    left = sum(status in (Status.WAITING, Status.STOPPED) for _, status in states)
    if left:
        stop = InterruptedRunError if pool.stop_signal == signal.SIGINT else StoppedEarly
        raise stop(f"stopped with {left} cases to go; the same command goes on")
    failed = [case for case, status in states if status is Status.FAILED]
    if failed:
        raise ConvergenceError("\n".join(["cases have failed:", *map(_describe_failure, failed)]))


def _describe_failure(case: CaseFolder) -> str:
    outcome = case.read_outcome()
    return f"  {case.case.name}: {outcome.ended if outcome else ''} ({case.log}); run with --retry"
