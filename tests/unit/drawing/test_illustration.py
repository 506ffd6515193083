import builtins

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.drawing.illustration import write_illustrations
from chemomech.output.folder import RunFolder
from chemomech.output.frames import FrameFile
from chemomech.output.snapshot_grid import SnapshotGrid

COMM = MPI.COMM_WORLD


@pytest.fixture
def story(tmp_path):
    """Two triangles, their fields at the end and two frames of their composition."""
    points = np.array([(0, 0, 0), (100, 0, 0), (100, 50, 0), (0, 50, 0)], dtype=float)
    grid = SnapshotGrid(points, np.array([(0, 1, 2), (0, 2, 3)]), "triangle")
    fields = {"composition": np.full(4, 0.9), "von_mises": np.full(4, 1e9)}
    with FrameFile(tmp_path) as frames:
        frames.append(0.0, np.full(4, 0.5))
        frames.append(1.0, fields["composition"])
        yield grid, fields, frames


def test_a_run_leaves_pictures_and_a_film(story, folder):
    run = RunFolder.create(folder / "out", COMM)
    grid, fields, frames = story
    drawn = write_illustrations(run, grid if COMM.rank == 0 else None, fields, frames)
    assert drawn
    files = {str(path.relative_to(run.path)) for path in run.path.rglob("*.*")}
    assert files == {
        "movie.mp4",
        "pictures/composition.png",
        "pictures/composition_start.png",
        "pictures/von_mises.png",
    }


@pytest.mark.parametrize(("pictures", "movie"), [(True, False), (False, True)])
def test_pictures_and_film_are_drawn_apart(story, folder, pictures, movie):
    run = RunFolder.create(folder / "out", COMM)
    assert write_illustrations(run, *story, pictures=pictures, movie=movie)
    COMM.barrier()
    assert (run.path / "movie.mp4").exists() == movie
    assert (run.path / "pictures/composition.png").exists() == pictures


def test_without_vtk_the_run_ends_well(story, folder, monkeypatch, caplog):
    genuine = builtins.__import__

    def refuse(name, *rest, **options):
        if name == "chemomech.drawing.pictures":
            raise ImportError("libGL.so.1: cannot open shared object file")
        return genuine(name, *rest, **options)

    run = RunFolder.create(folder / "out", COMM)
    monkeypatch.setattr(builtins, "__import__", refuse)
    drawn = write_illustrations(run, *story)
    monkeypatch.undo()
    assert not drawn
    assert not [path for path in run.path.rglob("*") if path.is_file()]
    assert ("libGL.so.1" in caplog.text) == (COMM.rank == 0)
