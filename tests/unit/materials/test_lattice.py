"""Unit cells: volumes, strains from cell to cell, and the files they come in."""

import math

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.lattice import (
    LatticePhase,
    compute_partial_molar_volumes,
    create_lattice_eigenstrain,
    create_v2o5_volumes,
    read_phases,
)
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain

AVOGADRO = 6.02214076e23
ALPHA = LatticePhase("alpha", 0.0, 11.512e-10, 3.564e-10, 4.368e-10, 2)
SWOLLEN = LatticePhase("swollen", 0.4, 11.41e-10, 3.56e-10, 4.51e-10, 2)
HEADER = "name,x,a_angstrom,b_angstrom,c_angstrom,formula_units"


def test_molar_volume_of_alpha():
    """179.21 A^3 in the cell, 18 531 mol/m^3."""
    assert ALPHA.molar_volume == pytest.approx(11.512 * 3.564 * 4.368e-30 / 2 * AVOGADRO, rel=1e-12)
    assert 1 / ALPHA.molar_volume == pytest.approx(18531.0, rel=1e-4)


def test_molar_volume_of_skewed_cells():
    """A rhombohedron of 60 degrees is the primitive cell of a cube: a^3 / sqrt 2."""
    angle = math.pi / 3
    cell = LatticePhase("fcc", 0.0, 3e-10, 3e-10, 3e-10, 1, angle, angle, angle)
    assert cell.molar_volume == pytest.approx(27e-30 / math.sqrt(2) * AVOGADRO)
    vectors = cell.vectors
    np.testing.assert_allclose(vectors.T @ vectors, 9e-20 * (0.5 + 0.5 * np.eye(3)), rtol=1e-12)
    assert np.linalg.det(vectors) == pytest.approx(27e-30 / math.sqrt(2))
    scalene = LatticePhase("triclinic", 0.0, 4e-10, 5e-10, 7e-10, 1, 1.4, 1.7, 1.2)
    np.testing.assert_allclose(
        scalene.vectors.T @ scalene.vectors,
        [
            [16e-20, 20e-20 * math.cos(1.2), 28e-20 * math.cos(1.7)],
            [20e-20 * math.cos(1.2), 25e-20, 35e-20 * math.cos(1.4)],
            [28e-20 * math.cos(1.7), 35e-20 * math.cos(1.4), 49e-20],
        ],
        rtol=1e-12,
    )


def test_right_angled_cells_strain_along_their_edges():
    expected = np.diag([11.41 / 11.512 - 1, 3.56 / 3.564 - 1, 4.51 / 4.368 - 1])
    np.testing.assert_allclose(SWOLLEN.eigenstrain(ALPHA), expected, atol=1e-15)
    np.testing.assert_allclose(ALPHA.eigenstrain(ALPHA), np.zeros((3, 3)), atol=1e-15)


def test_strain_between_skewed_cells_is_free_of_rotation():
    """A cube sheared to a monoclinic cell: U^2 = F^T F is the ratio of the metrics."""
    square = LatticePhase("square", 0.0, 4e-10, 4e-10, 4e-10, 1)
    beta = math.radians(95.0)
    sheared = LatticePhase("sheared", 1.0, 4e-10, 4e-10, 4e-10, 1, beta=beta)
    stretch = sheared.eigenstrain(square) + np.eye(3)
    metric = np.eye(3)
    metric[0, 2] = metric[2, 0] = math.cos(beta)
    np.testing.assert_allclose(stretch @ stretch, metric, atol=1e-15)
    np.testing.assert_allclose(stretch, stretch.T, atol=1e-16)
    assert np.linalg.eigvalsh(stretch).min() > 0.0


def test_cells_that_do_not_correspond_are_refused():
    doubled = LatticePhase("delta", 1.0, 11.25e-10, 3.6e-10, 9.91e-10, 4)
    with pytest.raises(InputError, match="halve a doubled edge"):
        doubled.eigenstrain(ALPHA)


def test_partial_molar_volume_is_the_slope_between_phases():
    (omega,) = compute_partial_molar_volumes([ALPHA, SWOLLEN])
    cells = 11.41 * 3.56 * 4.51 - 11.512 * 3.564 * 4.368
    assert omega == pytest.approx(cells * 1e-30 / 2 * AVOGADRO / 0.4, rel=1e-12)


def test_lattice_eigenstrain_is_turned_into_the_wires_frame():
    law = create_lattice_eigenstrain([ALPHA, SWOLLEN], 0.0, "bca", transition=0.05)
    assert law.transition == 0.05
    np.testing.assert_allclose(law.compositions, [0.0, 0.4])
    a, b, c = np.diag(SWOLLEN.eigenstrain(ALPHA))
    np.testing.assert_allclose(law.strains, [np.zeros((3, 3)), np.diag([b, c, a])], atol=1e-15)


@pytest.mark.parametrize("axes", ["ab", "aab", "abd", "abcc"])
def test_each_edge_needs_one_direction(axes):
    with pytest.raises(InputError, match="each of the edges"):
        create_lattice_eigenstrain([ALPHA, SWOLLEN], 0.0, axes)


@pytest.mark.parametrize("phases", [[], [ALPHA], [SWOLLEN, ALPHA], [ALPHA, ALPHA]])
def test_phases_must_follow_one_another(phases):
    with pytest.raises(InputError, match="two or more phases"):
        compute_partial_molar_volumes(phases)


def test_volumes_of_v2o5_are_those_in_print():
    contents, volumes = create_v2o5_volumes()
    at = dict(zip(contents, volumes, strict=True))
    assert at[0.0] == pytest.approx(ALPHA.molar_volume)
    np.testing.assert_allclose(at[0.3] / at[0.1], 1.0166)
    np.testing.assert_allclose(at[1.0] / at[0.0], 1.128)
    np.testing.assert_allclose([at[0.1], at[0.4]], [1 / 18500, 0.4 / 7260])
    cubic_angstrom = AVOGADRO * 1e-30
    np.testing.assert_allclose(at[0.7] / cubic_angstrom, 92.21, rtol=1e-3)


def test_misfit_of_epsilon_and_delta_is_several_times_that_of_alpha_and_epsilon():
    """The source paper's two pairs, 0.2 apart each: 4 to 10 by volumes, 1 by one Omega."""
    law = TabulatedEigenstrain.from_molar_volumes(*create_v2o5_volumes(), 0.0)
    strain = dict(zip(law.compositions, law.strains[:, 0, 0], strict=True))
    ratio = (strain[0.9] - strain[0.7]) / (strain[0.3] - strain[0.1])
    assert 4.0 < ratio < 10.0


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_phases_are_read_in_angstrom(tmp_path):
    path = write(
        tmp_path / "cells.csv",
        HEADER + ",beta_deg",
        "# a remark, with a comma",
        "swollen, 0.4, 11.41, 3.56, 4.51, 2, 91.5",
        "",
        "alpha, 0.0, 11.512, 3.564, 4.368, 2,",
    )
    alpha, swollen = read_phases(path)
    assert (alpha.name, alpha.x, alpha.formula_units) == ("alpha", 0.0, 2)
    assert (alpha.a, alpha.b, alpha.c) == pytest.approx((ALPHA.a, ALPHA.b, ALPHA.c))
    assert alpha.beta == math.pi / 2
    assert (swollen.name, swollen.formula_units) == ("swollen", 2)
    assert swollen.beta == pytest.approx(math.radians(91.5))
    assert swollen.alpha == swollen.gamma == math.pi / 2


def test_phases_are_read_in_nm(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_bytes(
        b"\xef\xbb\xbfformula_units,name,x,c_nm,b_nm,a_nm\r\n2,alpha,0,0.4368,0.3564,1.1512\r\n"
    )
    (alpha,) = read_phases(path)
    assert (alpha.a, alpha.b, alpha.c) == pytest.approx((ALPHA.a, ALPHA.b, ALPHA.c))


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ([""], "empty"),
        (["# nothing but a remark"], "empty"),
        ([HEADER], "no phase"),
        (["name,x,a,b,c,formula_units"], "header must be"),
        (["name,x,a_nm,b_nm,c_angstrom,formula_units"], "header must be"),
        ([HEADER + ",colour"], "header must be"),
        ([HEADER + ",x"], "header must be"),
        ([HEADER, "alpha,0.0,11.5,3.56,4.37"], "line 2: has 5 entries under 6"),
        ([HEADER, "", "alpha,0.0,11.5,3.56,wide,2"], "line 3: holds what is no number"),
        ([HEADER, "alpha,0.0,11.5,3.56,4.37,2.5"], "line 2: holds what is no number"),
        ([HEADER, "alpha,0.0,11.5,-3.56,4.37,2"], "line 2: alpha: edges must be positive"),
        ([HEADER, "alpha,nan,11.5,3.56,4.37,2"], "must be finite"),
    ],
)
def test_bad_files_are_refused(tmp_path, lines, match):
    with pytest.raises(InputError, match=match) as caught:
        read_phases(write(tmp_path / "cells.csv", *lines))
    assert caught.value.path.endswith("cells.csv")


def test_files_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_phases(tmp_path / "missing.csv")
    (tmp_path / "cells.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="no text file"):
        read_phases(tmp_path / "cells.csv")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"a": 0.0}, "edges"),
        ({"c": math.inf}, "edges"),
        ({"formula_units": 0}, "at least one formula unit"),
        ({"x": math.nan}, "finite"),
        ({"gamma": math.pi}, "between 0 and pi"),
        ({"alpha": 0.2, "beta": 0.2, "gamma": 0.5}, "no cell"),
    ],
)
def test_impossible_cells_are_refused(change, match):
    values = {"name": "p", "x": 0.0, "a": 1e-9, "b": 1e-9, "c": 1e-9, "formula_units": 1}
    with pytest.raises(InputError, match=match):
        LatticePhase(**(values | change))
