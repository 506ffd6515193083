"""Write, read and join films in the form that every browser and slide program plays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import DPI, create_figure, read_pixels
from chemomech.errors import InputError

LEAST_SECONDS = 4.0
"""A film shorter than this shows each snapshot more than once."""

_FRAMES_PER_SECOND = 24
_LAST_HELD = 1.0
_TITLE_HEIGHT = 80
_TITLE_SIZE = 14.0


def write_movie(path: str | Path, frames: Iterable[NDArray[np.uint8]], count: int) -> None:
    """Write snapshots as an H.264 film (yuv420p, MP4).

    The first frame is the first snapshot and the last frame the last one, which is held for a
    second. Few snapshots are shown longer each, so that a film lasts at least `LEAST_SECONDS`.
    Frames are RGB images of one even width and height, shape ``(height, width, 3)``; their number,
    the count, is known before they are drawn.
    """
    shown = (LEAST_SECONDS - _LAST_HELD) * _FRAMES_PER_SECOND
    repeats = max(int(np.ceil(shown / max(count, 1))), 1)
    _encode_movie(path, _hold(frames, repeats, round(_LAST_HELD * _FRAMES_PER_SECOND)))


def _encode_movie(path: str | Path, images: Iterable[NDArray[np.uint8]]) -> None:
    """Write images as an H.264 film (yuv420p, MP4), each shown once.

    Arguments and errors are those of `write_movie`.
    """
    images = iter(images)
    first = next(images, None)
    if first is None:
        raise InputError("a film needs at least one snapshot")
    height, width = first.shape[:2]
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=_FRAMES_PER_SECOND,
        codec="libx264",
        pix_fmt_in="rgb24",
        pix_fmt_out="yuv420p",
        # The encoder halves colour resolution: even sizes are enough, and any larger would rescale.
        macro_block_size=2,
        output_params=["-crf", "18", "-preset", "medium", "-movflags", "+faststart"],
        ffmpeg_log_level="error",
    )
    writer.send(None)
    for image in chain([first], images):
        writer.send(np.ascontiguousarray(image))
    writer.close()


def _read_movie(path: str | Path) -> Iterator[NDArray[np.uint8]]:
    """Read the images of a film one by one, in their order, of shape ``(height, width, 3)``."""
    if not Path(path).is_file():
        raise InputError("no such film", path=str(path))
    # Portable pixmaps, one after another: each tells its size. Not by imageio_ffmpeg.read_frames,
    # which leaves its pipes open.
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-v", "error", "-i", str(path), "-f", "image2pipe", "-c:v", "ppm", "-"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        count = 0
        while (image := _read_pixmap(process.stdout)) is not None:
            count += 1
            yield image
    if process.returncode != 0 or count == 0:
        raise InputError("cannot be read as a film", path=str(path))


def write_side_by_side(path: str | Path, films: Mapping[str, str | Path]) -> None:
    """Join films into one ``.mp4``, from left to right; whichever ends first holds its last image.

    Each keeps its size, which is even, on white, in the middle of the tallest one's height. Titles
    are in matplotlib's text.
    """
    if not films:
        raise InputError("there are no films to set side by side")
    _encode_movie(path, _compose(films))


def _compose(films: Mapping[str, str | Path]) -> Iterator[NDArray[np.uint8]]:
    columns = [_read_movie(file) for file in films.values()]
    images = [next(column) for column in columns]
    height = max(image.shape[0] for image in images)
    header = np.hstack(
        [_draw_title(title, image.shape[1]) for title, image in zip(films, images, strict=True)]
    )
    going = True
    while going:
        yield np.vstack([header, np.hstack([_pad(image, height) for image in images])])
        following = [next(column, None) for column in columns]
        going = any(image is not None for image in following)
        images = [old if new is None else new for old, new in zip(images, following, strict=True)]


def _draw_title(title: str, width: int) -> NDArray[np.uint8]:
    """Draw one line of text on a white strip of a width in pixels: an RGB image of even height."""
    figure = create_figure(width / DPI, _TITLE_HEIGHT / DPI)
    figure.text(0.5, 0.5, title, fontsize=_TITLE_SIZE, ha="center", va="center")
    return read_pixels(figure)


def _pad(image: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    above = (height - image.shape[0]) // 2
    below = height - image.shape[0] - above
    return np.pad(image, ((above, below), (0, 0), (0, 0)), constant_values=255)


def _read_pixmap(stream: IO[bytes]) -> NDArray[np.uint8] | None:
    """Read the next image of a stream of binary pixmaps (P6, 255 levels); None at its end."""
    if not stream.readline():
        return None
    width, height = map(int, stream.readline().split())
    stream.readline()
    values = np.frombuffer(stream.read(3 * width * height), dtype=np.uint8)
    return values.reshape(height, width, 3) if values.size == 3 * width * height else None


def _hold(
    images: Iterable[NDArray[np.uint8]], repeats: int, last: int
) -> Iterator[NDArray[np.uint8]]:
    image = None
    for image in images:
        yield from (image for _ in range(repeats))
    if image is not None:
        yield from (image for _ in range(last))
