"""Films beside each other."""

import numpy as np
import pytest

from chemomech.drawing.film import _draw_title, _encode_movie, _read_movie, write_side_by_side
from chemomech.errors import InputError


def write_film(path, shape, greys):
    _encode_movie(path, (np.full((*shape, 3), grey, np.uint8) for grey in greys))
    return path


def test_shorter_film_holds_its_last_image(tmp_path):
    films = {
        "Left": write_film(tmp_path / "left.mp4", (60, 100), [20, 60, 100, 140]),
        "Right": write_film(tmp_path / "right.mp4", (40, 80), [200, 220]),
    }
    write_side_by_side(tmp_path / "both.mp4", films)
    images = list(_read_movie(tmp_path / "both.mp4"))
    header = _draw_title("Left", 100).shape[0]
    assert {image.shape for image in images} == {(header + 60, 180, 3)}
    left = [image[header + 5 : -5, 10:90].mean() for image in images]
    right = [image[header + 15 : -15, 110:170].mean() for image in images]
    assert left == pytest.approx([20, 60, 100, 140], abs=3)
    assert right == pytest.approx([200, 220, 220, 220], abs=3)
    # The lower one lies in the middle, on white.
    above = images[0][header + 1 : header + 8, 110:170]
    assert above.mean() == pytest.approx(255, abs=3)


def test_title_stands_above_its_own_film(tmp_path):
    film = write_film(tmp_path / "film.mp4", (40, 300), [255])
    write_side_by_side(tmp_path / "both.mp4", {"Lithiation": film, " ": film})
    image = next(_read_movie(tmp_path / "both.mp4"))
    header = image[: image.shape[0] - 40]
    assert header[:, :300].min() < 100
    assert header[:, 310:].min() > 230


def test_nothing_to_show_is_refused(tmp_path):
    with pytest.raises(InputError, match="no films"):
        write_side_by_side(tmp_path / "both.mp4", {})
    with pytest.raises(InputError, match=r"missing\.mp4"):
        write_side_by_side(tmp_path / "both.mp4", {"Missing": tmp_path / "missing.mp4"})
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(InputError, match="cannot be read as a film"):
        write_side_by_side(tmp_path / "both.mp4", {"Text": tmp_path / "text.mp4"})
    assert not (tmp_path / "both.mp4").exists()
