"""Run cases as MPI jobs in a pool of processes, and ask them to stop."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from mpi4py import MPI

from chemomech.config.laws.user_law import list_sources
from chemomech.errors import InputError
from chemomech.output.folder_lock import FolderLock, check_not_in_use
from chemomech.sweeps.folder import CaseFolder, Outcome, Status, SweepFolder

_log = logging.getLogger(__name__)

_POLL = 0.05
_STOPPED = 4
# What a launcher tells its ranks, and what they must not take for their own.
_OF_LAUNCHERS = ("PMIX_", "PMI_", "OMPI_COMM_WORLD", "OMPI_UNIVERSE", "OMPI_FILE", "OMPI_APP")
# Several launchers at once, each sure to have the machine to itself, would put all their ranks on
# the first cores.
_SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "HYDRA_BINDING": "none",
}


@dataclass
class _Job:
    """A case that runs."""

    folder: CaseFolder
    process: subprocess.Popen[bytes]
    started: float
    lock: FolderLock


@dataclass
class JobPool:
    """Run cases as processes, so many jobs at a time, each on so many ranks.

    A signal (SIGTERM, SIGINT, SIGUSR1) asks all of them to save their state and end; after it, an
    interrupt (SIGINT) ends them at once.

    Attributes:
        stop_signal: Number of the first signal that asked to stop; 0 while none has.
        lock_errors: What was said of cases that other processes run.
    """

    jobs: int
    ranks: int
    stop_signal: int = 0
    lock_errors: list[InputError] = field(default_factory=list)
    _running: list[_Job] = field(default_factory=list)

    def run(self, folder: SweepFolder, cases: Sequence[CaseFolder]) -> None:
        """Run cases until all have ended or a signal asks to stop, the table kept up to date."""
        waiting = list(cases)
        total, ended = len(waiting), 0
        with self._listening():
            while self._running or (waiting and not self.stop_signal):
                while waiting and not self.stop_signal and len(self._running) < self.jobs:
                    self._start_if_free(waiting.pop(0))
                time.sleep(_POLL)
                for job in [job for job in self._running if job.process.poll() is not None]:
                    self._running.remove(job)
                    outcome = self._finish(job)
                    ended += 1
                    _log.info("[%d/%d] %s: %s", ended, total, job.folder.case.name, outcome.ended)
                    folder.write_table()

    def _start_if_free(self, folder: CaseFolder) -> None:
        """Start a case, unless another process runs it or has just done so."""
        try:
            # A case outlives a sweep that is killed.
            check_not_in_use(folder.results)
            lock = FolderLock(folder.path, MPI.COMM_SELF)
        except InputError as error:
            _log.warning("%s is left to another process: %s", folder.case.name, error)
            self.lock_errors.append(error)
            return
        if folder.find_status() is Status.DONE:
            lock.close()
            return
        self._running.append(self._start(folder, lock))

    def _start(self, folder: CaseFolder, lock: FolderLock) -> _Job:
        words = [sys.executable, "-m", "chemomech", "run", str(folder.config.absolute())]
        words += ["--output", str(folder.results.absolute()), "--restart", "--quiet"]
        if list_sources(folder.case.config):
            words.append("--allow-code")
        if self.ranks > 1:
            words = ["mpirun", "-n", str(self.ranks), *words]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OF_LAUNCHERS)}
        with folder.log.open("ab") as log:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**kept, **_SETTINGS},
                # Ctrl-C is for this process, which passes on what its jobs understand.
                start_new_session=True,
                preexec_fn=_block_sigterm if self.ranks > 1 else None,
            )
        return _Job(folder, process, time.monotonic(), lock)

    def _finish(self, job: _Job) -> Outcome:
        former = job.folder.read_outcome()
        code = job.process.returncode
        outcome = Outcome(
            exit_code=code,
            stopped=code == _STOPPED or bool(self.stop_signal and code),
            wall_s=time.monotonic() - job.started + (former.wall_s if former else 0.0),
            starts=1 + (former.starts if former else 0),
            ended=_describe(job.folder, code),
        )
        job.folder.write_outcome(outcome)
        job.lock.close()
        return outcome

    @contextmanager
    def _listening(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
        former = {number: signal.signal(number, self._hear) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        again, self.stop_signal = bool(self.stop_signal), self.stop_signal or number
        for job in self._running:
            # Launchers hand SIGUSR1 on to their ranks, which save their state; SIGTERM ends ranks.
            if not again:
                os.kill(job.process.pid, signal.SIGUSR1)
            # Batch systems often send two signals: the second must not end what the first has asked
            # to save its state. Somebody at the keyboard who asks again means it.
            elif number == signal.SIGINT:
                os.killpg(job.process.pid, signal.SIGKILL)


def _block_sigterm() -> None:
    # A batch system that preempts sends SIGTERM to every process. Launchers would end their ranks
    # at once; they unblock signals for the ranks, which save their state.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _describe(folder: CaseFolder, code: int) -> str:
    if code == 0:
        return "done"
    lines = folder.log.read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line for line in reversed(lines) if "chemomech: " in line), "")
    reason = said.partition("chemomech: ")[2].strip() or "see its log"
    if code == _STOPPED:
        return "stopped, its state is saved"
    return f"exit code {code}: {reason.removeprefix('error: ')}"
