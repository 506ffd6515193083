"""Stoney's formula with the source paper's numbers, and records of curvature."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.stoney import CurvatureRecord, StoneySubstrate, read_curvature

PLATE = StoneySubstrate(203e9, 0.29, 0.736e-3)
FILM = 42.3e-6


def test_constant_of_the_source_paper(verify):
    """6.1024e8 Pa m to a tenth of a per cent: 1 MPa bends the plate by 1.6387e-3 1/m."""
    found = PLATE.stress_per_curvature(FILM)
    verify(
        "Stoney's constant of the source paper", found, 6.1024e8, "Pa m", rel=1e-3, against="paper"
    )
    exact = 203e9 * (0.736e-3) ** 2 / (6 * 42.3e-6 * 0.71)
    assert PLATE.stress_per_curvature(FILM) == pytest.approx(exact, rel=1e-14)
    np.testing.assert_allclose(PLATE.film_stress(1.6387e-3, FILM), 1e6, rtol=1e-3)


def test_tension_makes_the_films_side_concave():
    change = np.array([[0.0, 0.5], [-0.5, 1.0]])
    stress = PLATE.film_stress(change, FILM)
    np.testing.assert_allclose(stress, PLATE.stress_per_curvature(FILM) * change)
    assert stress[0, 1] > 0.0 > stress[1, 0]


def test_film_far_thinner_than_its_plate_obeys_the_exact_bilayer():
    """Timoshenko's bilayer with film misfit em: K -> 6 em m (E_f / E_s) / h_s, sigma = E_f em."""
    film, plate, misfit, ratio = 1e-8, 1e-3, 1e-3, 0.4
    stiffness = 203e9 / (1 - 0.29)
    m, n, h = film / plate, ratio, film + plate
    curvature = 6 * misfit * (1 + m) ** 2
    curvature /= h * (3 * (1 + m) ** 2 + (1 + m * n) * (m**2 + 1 / (m * n)))
    stress = StoneySubstrate(203e9, 0.29, plate).film_stress(curvature, film)
    np.testing.assert_allclose(stress, ratio * stiffness * misfit, rtol=1e-4)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ((0.0, 0.3, 1e-3), "young_modulus"),
        ((1e9, 0.5, 1e-3), "poisson_ratio"),
        ((1e9, np.nan, 1e-3), "poisson_ratio"),
        ((1e9, 0.3, np.inf), "thickness"),
    ],
)
def test_impossible_plates_are_refused(values, key):
    with pytest.raises(InputError) as caught:
        StoneySubstrate(*values)
    assert caught.value.key == key


@pytest.mark.parametrize("thickness", [0.0, -1e-6, np.nan, 1e-3])
def test_impossible_films_are_refused(thickness):
    with pytest.raises(InputError) as caught:
        PLATE.film_stress(1.0, thickness)
    assert caught.value.key == "film_thickness"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "quantity", "values", "curvature"),
    [
        ("time_h,curvature_1/m\n0,0.1\n0.5,0.3\n", "time", [0, 1800], [0.1, 0.3]),
        ("time_min, radius_m\r\n1, inf\r\n2, -4\r\n", "time", [60, 120], [0, -0.25]),
        ("radius_km,voltage_mV\n2,3400\n-4,2800\n", "voltage", [3.4, 2.8], [5e-4, -2.5e-4]),
        ("\ufeffvoltage_V,curvature_1/km\n3.4,2\n", "voltage", [3.4], [2e-3]),
    ],
)
def test_records_are_read_with_their_units(tmp_path, text, quantity, values, curvature):
    path = write(tmp_path / "curvature.csv", text)
    record = read_curvature(path, positive_side="concave")
    assert record.quantity == quantity
    np.testing.assert_allclose(record.values, values)
    np.testing.assert_allclose(record.curvature, curvature)
    np.testing.assert_allclose(record.change, np.subtract(curvature, curvature[0]))
    turned = read_curvature(path, positive_side="convex")
    np.testing.assert_allclose(turned.curvature, np.negative(curvature))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the file is empty"),
        ("time_s,curvature_1/m\n", "no line of numbers"),
        ("time_s,curvature_1/m\n0,a\n", "no table of numbers"),
        ("time_s,curvature_1/m\n# 0,1\n", "no table of numbers"),
        ("time_s,curvature_1/m\n0,1\n2\n", "no table of numbers"),
        ("time_s,curvature_1/m\n0,1,2\n", "has 3 columns"),
        ("time_s,time_s\n0,1\n", "has 2 columns under"),
        ("time,curvature_1/m\n0,1\n", "needs one column of"),
        ("time_s,voltage_V\n0,1\n", "needs one column of"),
        ("time_s,voltage_V,radius_m\n0,1,2\n", "needs one column of"),
        ("time_s,curvature_1/m\n0,nan\n", "finite"),
        ("time_s,radius_m\n0,0\n", "must not be zero"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, match):
    with pytest.raises(InputError, match=match) as caught:
        read_curvature(write(tmp_path / "curvature.csv", text), positive_side="concave")
    assert caught.value.path.endswith("curvature.csv")


def test_files_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_curvature(tmp_path / "missing.csv", positive_side="concave")
    (tmp_path / "curvature.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="no text file"):
        read_curvature(tmp_path / "curvature.csv", positive_side="concave")
    path = write(tmp_path / "good.csv", "time_s,curvature_1/m\n0,1\n")
    with pytest.raises(InputError, match="concave or convex"):
        read_curvature(path, positive_side="up")


@pytest.mark.parametrize(
    ("values", "curvature"),
    [(np.zeros(2), np.zeros(3)), (np.zeros(0), np.zeros(0)), (np.zeros(1), np.array([np.nan]))],
)
def test_impossible_records_are_refused(values, curvature):
    with pytest.raises(InputError):
        CurvatureRecord("time", values, curvature)
