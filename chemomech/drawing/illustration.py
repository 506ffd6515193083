"""Draw all pictures and the film of a finished run, on rank 0."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chemomech.drawing.styles import STYLES, choose_style
from chemomech.errors import run_on_root
from chemomech.materials.phases import Phase
from chemomech.output.file_names import FILM
from chemomech.output.folder import RunFolder
from chemomech.output.frames import Frame, FrameFile
from chemomech.output.snapshot_grid import SnapshotGrid

_log = logging.getLogger(__name__)


def write_illustrations(
    folder: RunFolder,
    grid: SnapshotGrid | None,
    fields: Mapping[str, NDArray[np.floating]],
    frames: FrameFile,
    *,
    pictures: bool = True,
    movie: bool = True,
    phases: Sequence[Phase] = (),
) -> bool:
    """Draw ``pictures/*.png`` and ``movie.mp4``, or one of the two; collective.

    Each field is drawn as it was at the end, the composition at the start as well
    (``pictures/composition_start.png``). The film shows the composition. Where this machine cannot
    draw, a warning says why and the run goes on.

    Args:
        folder: The run's folder.
        grid: The whole mesh on rank 0, in nanometres; like what follows not looked at elsewhere.
        fields: Nodal values at the end by name, shape ``(vertices,)``, in SI units for those in
            `STYLES`.
        frames: The composition in the order of time; the last at the end.
        pictures: Draw the pictures.
        movie: Draw the film.
        phases: Phases to be named on the composition's colour bar.

    Returns:
        Whether anything was drawn; the same on all ranks.
    """

    def draw() -> list[str]:
        assert grid is not None
        return _draw(folder, grid, fields, frames, pictures, movie, phases)

    written = run_on_root(folder.comm, draw)
    for name in written:
        folder.finish(name)
    return bool(written)


def _draw(
    folder: RunFolder,
    grid: SnapshotGrid,
    fields: Mapping[str, NDArray[np.floating]],
    frames: FrameFile,
    pictures: bool,
    movie: bool,
    phases: Sequence[Phase],
) -> list[str]:
    try:
        # Imported here, for VTK may be absent or lack a system library on a cluster's nodes.
        from chemomech.drawing.film import write_movie
        from chemomech.drawing.pictures import Renderer, write_picture
        from chemomech.drawing.scene import RenderingError
    except ImportError as error:
        _log.warning("No pictures: %s", error)
        return []
    if pictures:
        (folder.path / "pictures").mkdir(exist_ok=True)
    written = []
    names = sorted(fields.keys() & STYLES.keys()) if pictures else ["composition"]
    try:
        for name in names:
            style = choose_style(name, phases)
            shots = (
                {f"pictures/{name}.png": Frame(frames.times[-1], fields[name])} if pictures else {}
            )
            if name == "composition" and pictures:
                shots["pictures/composition_start.png"] = next(iter(frames))
            with Renderer(grid, style, style.compute_limits(fields[name])) as renderer:
                for file, frame in shots.items():
                    image = renderer.render(frame.values, frame.time_s)
                    write_picture(folder.partial(file), image)
                    written.append(file)
                if name == "composition" and movie:
                    images = (renderer.render(frame.values, frame.time_s) for frame in frames)
                    write_movie(folder.partial(FILM), images, len(frames))
                    written.append(FILM)
    # RuntimeError: what the film's encoder and VTK raise where they cannot work.
    except (RenderingError, RuntimeError) as error:
        _log.warning("No pictures: %s", error)
    return written
