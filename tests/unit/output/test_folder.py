import pytest

from chemomech.errors import InputError
from chemomech.output.folder import RunFolder


def test_new_folder_is_made_with_its_parents(shared_path, comm):
    folder = RunFolder.create(shared_path / "a" / "b", comm)
    assert folder.path.is_dir()


def test_used_folder_is_refused_and_left_alone(shared_path, comm):
    if comm.rank == 0:
        (shared_path / "ledger.csv").write_text("kept")
    comm.barrier()
    with pytest.raises(InputError, match="already holds files") as caught:
        RunFolder.create(shared_path, comm)
    assert caught.value.key == "--output"
    assert [path.name for path in shared_path.iterdir()] == ["ledger.csv"]
    assert (shared_path / "ledger.csv").read_text() == "kept"


def test_file_in_the_way_is_refused(shared_path, comm):
    if comm.rank == 0:
        (shared_path / "out").write_text("kept")
    comm.barrier()
    with pytest.raises(InputError, match="is a file"):
        RunFolder.create(shared_path / "out", comm)
    with pytest.raises(InputError, match="cannot be used") as caught:
        RunFolder.create(shared_path / "out" / "below", comm)
    assert caught.value.key == "--output"


@pytest.mark.parametrize("name", ["ledger.csv", "pictures/ledger.png"])
def test_only_finished_files_bear_their_final_name(shared_path, comm, name):
    folder = RunFolder.create(shared_path / "out", comm)
    if comm.rank == 0:
        folder.partial(name).parent.mkdir(exist_ok=True)
        folder.partial(name).write_text("content")
    comm.barrier()
    assert ".partial." in folder.partial(name).name
    assert not (folder.path / name).exists()
    comm.barrier()
    assert folder.finish(name).read_text() == "content"
    assert not folder.partial(name).exists()


def test_files_are_written_on_one_rank_and_finished(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)

    def list_writers():
        assert comm.rank == 0
        return {f"pictures/{n}.txt": lambda path, n=n: path.write_text(f"{n}") for n in (1, 2)}

    folder.write_files(list_writers)
    files = {path.name: path.read_text() for path in (folder.path / "pictures").iterdir()}
    assert files == {"1.txt": "1", "2.txt": "2"}


def test_files_that_cannot_be_written_fail_on_all_ranks(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)
    with pytest.raises(FileNotFoundError):
        folder.write_files(lambda: {"a.txt": lambda path: (path / "b").write_text("")})
    assert not list(folder.path.iterdir())


def test_folders_are_finished_too(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)
    if comm.rank == 0:
        folder.partial("fields.bp").mkdir()
    assert folder.finish("fields.bp").is_dir()


def test_finishing_what_was_not_written_fails_on_all_ranks(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)
    with pytest.raises(FileNotFoundError):
        folder.finish("fields.bp")
