"""A state that is whole is on the disk at every instant, whatever becomes of program and disk."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.output import checkpoints
from chemomech.output.checkpoints import CheckpointStore

WORLD = MPI.COMM_WORLD
SERIAL = pytest.mark.skipif(WORLD.size > 1, reason="one rank does this for all")


def list_names(folder):
    # Rank 0 tidies up alone.
    WORLD.barrier()
    return sorted(path.name for path in folder.iterdir())


def test_what_is_no_state_is_left_alone(shared_path, comm, function, on_root, write_state):
    """Folders of other names are somebody else's; a linked folder is not gone into."""
    store = CheckpointStore(shared_path / "store", comm)
    write_state(store, 1, function)

    def plant():
        (shared_path / "elsewhere").mkdir()
        (shared_path / "elsewhere" / "precious").touch()
        (shared_path / "store" / "00000009").symlink_to(shared_path / "elsewhere")
        (shared_path / "store" / "00000002.partial").symlink_to(shared_path / "elsewhere")
        (shared_path / "store" / "0000000005").mkdir()
        (shared_path / "store" / "notes.partial").touch()

    on_root(plant)
    assert store.numbers() == [1]
    write_state(store, 2, function)
    store.discard_after(-1)
    assert list_names(shared_path / "store") == ["0000000005", "00000009", "notes.partial"]
    assert list_names(shared_path / "elsewhere") == ["precious"]


def test_leftovers_of_a_killed_run_go_with_the_next_write(
    shared_path, comm, function, on_root, write_state
):
    store = CheckpointStore(shared_path, comm)
    write_state(store, 1, function)
    names = [
        "00000002.partial",
        "00000001.former",
        "00000000.discarded",
        "00000001.former.discarded",
    ]

    def plant():
        for name in names:
            shutil.copytree(shared_path / "00000001", shared_path / name)

    on_root(plant)
    assert store.numbers() == [1]
    write_state(store, 2, function)
    assert list_names(shared_path) == ["00000001", "00000002"]


class KilledError(BaseException):
    """What a program cannot catch."""


def _kill_at(monkeypatch, count):
    """Let the program end at the ``count``-th thing it does to the disk."""
    left = [count]

    def lay_trap(owner, name):
        original = getattr(owner, name)

        def act(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                if name == "rmtree":
                    # Half of it has gone when the end comes.
                    next(path for path in Path(arguments[0]).rglob("*") if path.is_file()).unlink()
                raise KilledError
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, act)

    for owner, name in (
        *((Path, name) for name in ("mkdir", "rename", "unlink", "write_bytes")),
        *((os, "fsync"), (shutil, "rmtree"), (checkpoints, "write_functions")),
    ):
        lay_trap(owner, name)


@SERIAL
@pytest.mark.parametrize("number", [2, 3], ids=["same number", "next number"])
def test_a_whole_state_survives_whenever_the_program_is_killed(
    tmp_path, comm, function, monkeypatch, number, write_state, assert_state
):
    store = CheckpointStore(tmp_path / "store", comm, keep=1)
    write_state(store, 2, function)
    arrays = {"owners": np.zeros(3)}
    for count in range(1, 100):
        with monkeypatch.context() as patch:
            _kill_at(patch, count)
            try:
                write_state(store, number, function, arrays=arrays)
                break
            except KilledError:
                pass
        latest = store.find_latest()
        assert latest.number in (2, number)
        assert_state(latest, latest.number, function)
    assert count > 15
    write_state(store, number + 1, function)
    assert list_names(tmp_path / "store") == [f"{number + 1:08d}"]


def test_full_disk_harms_nothing(small_disk, comm, function, on_root, write_state, assert_state):
    disk = small_disk("768k")
    store = CheckpointStore(disk / "store", comm)
    write_state(store, 1, function)
    on_root(lambda: (disk / "ballast").write_bytes(bytes(512 * 1024)))
    with pytest.raises(OSError, match=r"checkpoint 2 was not written: .*No space left on device"):
        write_state(store, 2, function)
    assert list_names(disk / "store") == ["00000001"]
    assert_state(store.find_latest(), 1, function)
    on_root((disk / "ballast").unlink)
    write_state(store, 2, function)
    assert_state(store.find_latest(), 2, function)


def test_full_disk_before_and_after_the_functions(
    small_disk, comm, function, on_root, monkeypatch, write_state, assert_state
):
    disk = small_disk("768k")
    store = CheckpointStore(disk / "store", comm)
    write_state(store, 1, function)
    with pytest.raises(OSError, match=r"checkpoint 2 was not written: No space left on device"):
        write_state(store, 2, function, arrays={"large": np.zeros(2**20)})
    assert list_names(disk / "store") == ["00000001"]
    original = checkpoints.seal_folder

    def fill_and_seal(folder):
        for size in (2**16, 2**10, 1):
            try:
                with (disk / f"ballast{size}").open("wb", buffering=0) as file:
                    while file.write(bytes(size)):
                        pass
            except OSError:
                pass
        original(folder)

    monkeypatch.setattr(checkpoints, "seal_folder", fill_and_seal)
    with pytest.raises(OSError, match=r"checkpoint 2 was not written: .*No space left on device"):
        write_state(store, 2, function)
    assert list_names(disk / "store") == ["00000001"]
    assert_state(store.find_latest(), 1, function)


def test_disk_that_cannot_be_written_to(
    small_disk, comm, function, on_root, write_state, assert_state
):
    disk = small_disk("2m")
    store = CheckpointStore(disk / "store", comm)
    write_state(store, 1, function)
    on_root(lambda: subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True))
    with pytest.raises(OSError, match=r"00000002.partial: Read-only file system"):
        write_state(store, 2, function)
    with pytest.raises(OSError, match="Read-only file system"):
        store.discard_after(0)
    assert_state(store.find_latest(), 1, function)


def test_folder_removed_between_two_writes_is_made_again(
    shared_path, comm, function, on_root, write_state
):
    store = CheckpointStore(shared_path / "store", comm)
    write_state(store, 1, function)
    on_root(lambda: shutil.rmtree(shared_path / "store"))
    write_state(store, 2, function)
    assert store.numbers() == [2]


def test_folder_removed_while_it_is_written_to(
    shared_path, comm, function, on_root, monkeypatch, write_state
):
    store = CheckpointStore(shared_path / "store", comm)
    original = checkpoints.write_functions

    def remove_and_write(path, functions):
        on_root(lambda: shutil.rmtree(shared_path / "store"))
        original(path, functions)

    monkeypatch.setattr(checkpoints, "write_functions", remove_and_write)
    with pytest.raises(OSError, match=r"checkpoint 1 was not written: .*No such file or directory"):
        write_state(store, 1, function)


def test_file_in_place_of_the_folder_is_an_error_of_all_ranks(
    shared_path, comm, function, on_root, write_state
):
    on_root((shared_path / "store").touch)
    with pytest.raises(OSError, match="store: File exists"):
        write_state(CheckpointStore(shared_path / "store", comm), 1, function)


def test_old_state_that_cannot_be_removed_is_only_named(
    shared_path, comm, function, monkeypatch, caplog, write_state, assert_state
):
    store = CheckpointStore(shared_path, comm, keep=1)
    write_state(store, 1, function)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(checkpoints, "_remove", refuse)
    write_state(store, 2, function)
    assert_state(store.find_latest(), 2, function)
    assert store.numbers() == [1, 2]
    if comm.rank == 0:
        assert "00000001 cannot be removed: Permission denied" in caplog.text
