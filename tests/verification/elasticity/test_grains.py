"""Bicrystals whose grains mirror one another in their boundary: exact solutions.

Grains turned by +a and -a about z have the same strain along their boundary, x = const, under
uniform stress along it and a uniform composition; they differ by a shear, which only tilts one
against the other. So each has the strain S : sigma + e* of a crystal by itself.
"""

import numpy as np
import pytest
import ufl
from two_grains import mark_grains

from chemomech.forms.energy import Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain, TurnedEigenstrain
from chemomech.materials.orientation import create_euler_axes
from chemomech.problems.conditions import Loads, Traction
from chemomech.problems.crystal_axes import CrystalAxes
from chemomech.problems.grading import create_factor_by_group
from chemomech.problems.static_stress import StaticStress

PULL, CHANGE, ANGLE = 50.0, 0.1, 0.5
YOUNG, POISSON, SHEAR = (40e3, 60e3, 25e3), (0.25, 0.3, 0.2), (9e3, 11e3, 15e3)
EXPANSION = np.array([[-0.02, 0.004, 0.0], [0.004, 0.03, 0.0], [0.0, 0.0, 0.01]])
SIZES = {2: (40e-9, 20e-9), 3: (40e-9, 20e-9, 20e-9)}


def create_bicrystal(domain, assumption):
    """The second grain is the mirror image of the first, its own second axis turned about."""
    mirrored = np.diag([-1.0, 1.0, 1.0]) @ create_euler_axes([ANGLE, 0.0, 0.0])
    axes = CrystalAxes(
        domain, {"left": create_euler_axes([ANGLE, 0.0, 0.0]), "right": mirrored}
    ).tensor
    stiffness = el.create_orthotropic_stiffness(YOUNG, POISSON, SHEAR)
    eigenstrain = TurnedEigenstrain(Eigenstrain(EXPANSION.tolist(), 0.0), axes)
    return Mechanics(el.Elasticity(stiffness, el.Assumption(assumption), axes), eigenstrain)


def expect_strain(assumption):
    """Strain of the left grain in global axes."""
    axes = create_euler_axes([ANGLE, 0.0, 0.0])
    sigma = axes.T @ np.diag([0.0, PULL, 0.0]) @ axes
    compliance = np.linalg.inv(el.create_orthotropic_stiffness(YOUNG, POISSON, SHEAR)[:3, :3])
    strain = np.diag(compliance @ np.diag(sigma))
    strain[0, 1] = strain[1, 0] = sigma[0, 1] / (2 * SHEAR[2])
    return axes @ (strain + CHANGE * EXPANSION) @ axes.T


@pytest.mark.parametrize(
    "assumption", ["plane_stress", "generalised_plane_strain", "three_dimensional"]
)
def test_mirrored_grains_strain_as_each_by_itself(assumption, comm, solve, largest):
    dimension = 3 if assumption == "three_dimensional" else 2
    domain = mark_grains(create_domain(Box(SIZES[dimension]), 10e-9, comm))
    up = PULL * np.eye(dimension)[1]
    loads = Loads((), [Traction("top", tuple(up)), Traction("bottom", tuple(-up))])
    law = create_bicrystal(domain, assumption)
    problem = solve(StaticStress(domain, law, ufl.as_ufl(CHANGE), loads))
    stress = np.diag([0.0, PULL, 0.0])
    assert largest(problem.stress(), domain.mesh, stress) < 1e-7 * PULL
    side = 3.0 - 2.0 * create_factor_by_group({"right": 2.0}, domain)
    mirror = ufl.as_matrix([[side, 0, 0], [0, 1, 0], [0, 0, 1]])
    strain, expected = mirror * problem.strain() * mirror, expect_strain(assumption)
    if assumption == "plane_stress":
        strain, expected[2, 2] = ufl.elem_mult(strain, ufl.as_matrix(IN_PLANE)), 0.0
    assert largest(strain, domain.mesh, expected) < 1e-7 * 0.003


IN_PLANE = [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
