"""Join films into one, beside each other, each under a title of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chemomech.drawing.figure_parts import DPI, create_figure, read_pixels
from chemomech.drawing.film import encode_movie, read_movie
from chemomech.errors import InputError

Image = NDArray[np.uint8]

_WHITE = 255
_TITLE_HEIGHT = 80
_TITLE_SIZE = 14.0


def write_side_by_side(path: str | Path, films: Mapping[str, str | Path]) -> None:
    """Join films into one, from left to right; whichever ends first holds its last image.

    Each keeps its size, on white, in the middle of the tallest one's height.

    Args:
        path: Film to write, ending in ``.mp4``.
        films: Films of even width and height by title, in matplotlib's text.

    Raises:
        InputError: No film was given, or one is missing or cannot be read.
        OSError: The film cannot be written.
    """
    if not films:
        raise InputError("there are no films to set side by side")
    encode_movie(path, _compose(films))


def _compose(films: Mapping[str, str | Path]) -> Iterator[Image]:
    columns = [read_movie(file) for file in films.values()]
    images = [next(column) for column in columns]
    height = max(image.shape[0] for image in images)
    header = np.hstack(
        [draw_title(title, image.shape[1]) for title, image in zip(films, images, strict=True)]
    )
    going = True
    while going:
        yield np.vstack([header, np.hstack([_pad(image, height) for image in images])])
        following = [next(column, None) for column in columns]
        going = any(image is not None for image in following)
        images = [old if new is None else new for old, new in zip(images, following, strict=True)]


def draw_title(title: str, width: int) -> Image:
    """Draw one line of text on a white strip of a width in pixels: an RGB image of even height."""
    figure = create_figure(width / DPI, _TITLE_HEIGHT / DPI)
    figure.text(0.5, 0.5, title, fontsize=_TITLE_SIZE, ha="center", va="center")
    return read_pixels(figure)


def _pad(image: Image, height: int) -> Image:
    above = (height - image.shape[0]) // 2
    below = height - image.shape[0] - above
    return np.pad(image, ((above, below), (0, 0), (0, 0)), constant_values=_WHITE)
