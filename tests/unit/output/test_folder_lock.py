"""Folders that two processes want, and locks that dead ones have left."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mpi4py import MPI

from chemomech import Simulation
from chemomech.errors import InputError
from chemomech.mapping.measure import measure
from chemomech.mapping.phantom_files import write_phantom
from chemomech.mapping.stress import stress
from chemomech.output import folder_lock
from chemomech.output.folder_lock import FolderLock, list_contents
from chemomech.paper.figures import find_figure
from chemomech.paper.reproduction import Reproduction, reproduce
from chemomech.sweeps.sweeping import JobLayout, run_sweep

alone = pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="starts a process of its own")
HOLD = """
import sys
from mpi4py import MPI
from chemomech.output import folder_lock
folder_lock._HEARTBEAT_S = 0.05
with folder_lock.FolderLock(sys.argv[1], MPI.COMM_SELF):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds a folder until its input ends."""
    words = [sys.executable, "-c", HOLD, str(tmp_path / "out")]
    pipes = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE)
    with subprocess.Popen(words, **pipes, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def from_elsewhere(tmp_path, monkeypatch):
    """A lock that a process of another machine has just taken, in the folder ``out``."""
    (tmp_path / "out").mkdir()
    with monkeypatch.context() as there:
        there.setattr(socket, "getfqdn", lambda: "node7")
        lock = folder_lock._create_lock(tmp_path / "out")
        lock.lock()
    return lock


@pytest.fixture
def _no_waiting(monkeypatch):
    def complain(seconds):
        raise AssertionError("waits")

    monkeypatch.setattr(time, "sleep", complain)


@alone
def test_folder_in_use_is_refused_with_who_and_since_when(tmp_path, other):
    for is_new in (True, False):
        with pytest.raises(InputError) as caught:
            FolderLock(tmp_path / "out", MPI.COMM_SELF, is_new=is_new)
        said = f"out is in use by {other.pid} on {socket.getfqdn()} since 20"
        assert said in str(caught.value)
        assert caught.value.key == "--output"


@alone
def test_folder_is_free_when_its_process_has_ended(tmp_path, other):
    other.communicate("")
    assert other.returncode == 0
    # Nothing was written: nothing is left.
    assert not (tmp_path / "out").exists()


@alone
@pytest.mark.usefixtures("_no_waiting")
def test_lock_of_a_killed_process_is_taken_over_at_once(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert [path.name for path in (tmp_path / "out").iterdir()]
    with FolderLock(tmp_path / "out", MPI.COMM_SELF, is_new=True):
        assert list_contents(tmp_path / "out") == []
        with pytest.raises(InputError, match=f"in use by {os.getpid()} on"):
            FolderLock(tmp_path / "out", MPI.COMM_SELF)
    # What the dead process had left is gone as well.
    assert list((tmp_path / "out").iterdir()) == []


@alone
@pytest.mark.usefixtures("_no_waiting")
def test_number_that_another_process_has_by_now_does_not_hold_a_folder(tmp_path, other):
    lock = tmp_path / "out" / ".in-use"
    # A sign of life an hour before that process began.
    before = time.time() - 3600 + folder_lock._LIFETIME.total_seconds()
    os.kill(other.pid, signal.SIGSTOP)
    os.utime(lock, (before, before))
    FolderLock(tmp_path / "out", MPI.COMM_SELF).close()
    assert not lock.exists()


@alone
def test_process_whose_folder_was_taken_over_ends(tmp_path, other):
    os.kill(other.pid, signal.SIGSTOP)
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    with FolderLock(tmp_path / "out", MPI.COMM_SELF):
        os.kill(other.pid, signal.SIGCONT)
        assert other.wait(20) == 2
        said = other.stderr.read()
        assert f"out was taken over: in use by {os.getpid()} on" in said


@alone
def test_another_machine_that_gives_signs_of_life_keeps_its_folder(
    tmp_path, monkeypatch, from_elsewhere
):
    expiry = from_elsewhere.expiration.timestamp() + 20
    monkeypatch.setattr(time, "sleep", lambda s: os.utime(from_elsewhere.lockfile, (expiry,) * 2))
    with pytest.raises(InputError, match=f"in use by {os.getpid()} on node7 last heard of at 20"):
        FolderLock(tmp_path / "out", MPI.COMM_SELF)
    assert from_elsewhere.is_locked


@alone
def test_another_machine_that_is_silent_for_minutes_loses_its_folder(
    tmp_path, monkeypatch, from_elsewhere, caplog
):
    waited = []
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + sum(waited))
    monkeypatch.setattr(time, "sleep", lambda seconds: waited.append(60.0))
    with FolderLock(tmp_path / "out", MPI.COMM_SELF):
        assert not from_elsewhere.is_locked
    # The last sign of life is stored in whole seconds.
    assert len(waited) in (5, 6)
    assert "on node7 last heard of" in caplog.text
    assert list((tmp_path / "out").iterdir()) == []


@alone
def test_of_several_that_find_a_dead_lock_one_gets_it(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    held, refused = [], []

    def take():
        try:
            held.append(FolderLock(tmp_path / "out", MPI.COMM_SELF))
        except InputError as error:
            refused.append(error)

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 2)
    held[0].close()


@alone
def test_folder_without_hard_links_is_used_with_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*names):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with FolderLock(tmp_path / "out", MPI.COMM_SELF):
        assert list((tmp_path / "out").iterdir()) == []
    assert "no hard links" in caplog.text


def test_folder_in_use_is_refused_on_all_ranks_and_goes_where_nothing_is_written(shared_path, comm):
    folder = shared_path / "a" / "b"
    with FolderLock(folder, comm, is_new=True):
        comm.barrier()
        with pytest.raises(InputError, match="in use by"):
            FolderLock(folder, comm)
    comm.barrier()
    assert list(shared_path.iterdir()) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda folder, comm: Simulation(None, comm, folder),
        lambda folder, comm: Simulation(None, comm, folder, restart=True),
        lambda folder, comm: measure(None, folder, comm),
        lambda folder, comm: stress(None, folder, comm),
        lambda folder, comm: write_phantom(folder, "lithiated", 3000.0, 0, comm),
        lambda folder, comm: run_sweep(None, folder, JobLayout(1, 1)),
        lambda folder, comm: reproduce(Reproduction(find_figure("4B"), folder)),
    ],
    ids=["run", "restart", "measure", "stress", "phantom", "sweep", "reproduce"],
)
def test_whatever_writes_leaves_a_folder_in_use_alone(shared_path, comm, write):
    folder = Path(shared_path) / "out"
    with FolderLock(folder, comm):
        comm.barrier()
        with pytest.raises(InputError, match="out is in use by"):
            write(folder, comm)
        assert list_contents(folder) == []
        comm.barrier()
