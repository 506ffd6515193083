"""The coherency energy B(n), computed independently for two crystals."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.coherency import compute_coherency_energy
from chemomech.materials.elasticity import create_cubic_stiffness, create_isotropic_stiffness
from chemomech.materials.phase_diagram import coherent_shift

STIFFNESS = create_isotropic_stiffness(43.0, 0.3)  # GPa
V2O5 = np.array([-0.0089, -0.0011, 0.0325]) / 0.4
LIFEPO4 = np.array([0.050, 0.036, -0.019])


def in_plane(first, second, degrees):
    normals = np.zeros((len(degrees), 3))
    normals[:, first], normals[:, second] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return normals


@pytest.mark.parametrize(
    ("strains", "axes", "least", "angle", "ends"),
    [
        (V2O5, (0, 2), 0.000325, 61.8, (0.30596, 0.025485)),
        (V2O5, (1, 2), 0.021288, 70.5, (0.28408, 0.025485)),
        (V2O5, (0, 1), 0.28408, 90.0, (0.30596, 0.28408)),
        (LIFEPO4, (0, 2), 0.055729, 20.0, (0.058905, 0.230404)),
        (LIFEPO4, (0, 1), 0.058905, 0.0, (0.058905, 0.108256)),
    ],
)
def test_walls_of_two_crystals(strains, axes, least, angle, ends, verify):
    """The angles were sought in steps of half a degree, the energies have six decimals."""
    degrees = np.append(np.arange(0.0, 90.01, 0.01), angle)
    energies = compute_coherency_energy(STIFFNESS, np.diag(strains), in_plane(*axes, degrees))
    assert energies[-1] == pytest.approx(least, abs=5e-6 if least > 0.1 else 5e-7)
    found = degrees[energies.argmin()]
    verify(
        "direction of the cheapest wall",
        found,
        angle,
        "degrees",
        abs=0.25,
        against="elasticity of layers",
    )
    assert energies[[0, -2]] == pytest.approx(ends, abs=5e-6)


def test_isotropic_law_knows_no_direction():
    normals = np.random.default_rng(1).standard_normal((2, 3, 3))
    energies = compute_coherency_energy(STIFFNESS, 0.0149 * np.eye(3), normals)
    shift = coherent_shift(43.0, 0.3, 0.0149, plane_stress=False)
    np.testing.assert_allclose(energies, np.full((2, 3), 2 * shift), rtol=1e-12)


def test_cubic_crystal_along_its_axes():
    """2 (C11 - C12) (C11 + 2 C12) / C11 (001), Cahn 1962; half-sums of C44 enter (111)."""
    c11, c12, c44, eta = 100.0, 60.0, 75.0, 0.01
    stiffness = create_cubic_stiffness(c11, c12, c44)
    found = compute_coherency_energy(stiffness, eta * np.eye(3), [[0, 0, 1], [1, 1, 1]])
    bulk = c11 + 2 * c12
    hard = c11 + 2 * c12 + 4 * c44
    expected = [bulk * (3 - bulk / c11), bulk * (3 - 3 * bulk / hard)]
    np.testing.assert_allclose(found, eta**2 * np.array(expected), rtol=1e-12)


@pytest.mark.parametrize(
    ("key", "stiffness", "expansion", "normal"),
    [
        ("stiffness", np.eye(3), np.eye(3), [1, 0, 0]),
        ("expansion", np.eye(6), [0.1, 0.1, 0.1], [1, 0, 0]),
        ("expansion", np.eye(6), np.triu(np.ones((3, 3))), [1, 0, 0]),
        ("normals", np.eye(6), np.eye(3), [1, 0]),
        ("normals", np.eye(6), np.eye(3), [[1, 0, 0], [0, 0, 0]]),
    ],
)
def test_other_shapes_are_refused(key, stiffness, expansion, normal):
    with pytest.raises(InputError) as caught:
        compute_coherency_energy(stiffness, expansion, normal)
    assert caught.value.key == key
