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
    folder.create_subfolder("pictures")
    if comm.rank == 0:
        folder.partial(name).write_text("content")
    comm.barrier()
    assert ".partial." in folder.partial(name).name
    assert not (folder.path / name).exists()
    comm.barrier()
    assert folder.finish(name).read_text() == "content"
    assert not folder.partial(name).exists()


def test_folders_are_finished_too(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)
    if comm.rank == 0:
        folder.partial("fields.bp").mkdir()
    assert folder.finish("fields.bp").is_dir()


def test_finishing_what_was_not_written_fails_on_all_ranks(shared_path, comm):
    folder = RunFolder.create(shared_path / "out", comm)
    with pytest.raises(FileNotFoundError):
        folder.finish("fields.bp")
