"""Stress in periodic boxes: nothing tells where the sides are."""

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

from chemomech.forms.energy import Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.evaluation import evaluate
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.periodicity import create_fold
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.problems.static_stress import StaticStress
from chemomech.problems.stress_fields import compute_stress
from chemomech.solvers.presets import Preset
from chemomech.solvers.steady import solve

COMM = MPI.COMM_WORLD
LENGTHS = np.array([40.0, 30.0, 20.0])
EXPANSION = [[0.02, 0.005, 0.0], [0.005, -0.01, 0.0], [0.0, 0.0, 0.01]]


def create(axes, dimension, shift):
    """A box with a bump of composition, moved through its sides."""
    box = Box(tuple(LENGTHS[:dimension] * 1e-9), axes)
    domain = create_domain(box, 2.5e-9 if dimension == 2 else 5e-9, COMM)
    c = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    fold = create_fold(domain.mesh)

    lengths = LENGTHS[:dimension]

    def bump(x):
        away = (fold(x)[:dimension].T - shift) / lengths - 0.5
        return 0.5 + 0.4 * np.exp(-25.0 * ((away - np.rint(away)) ** 2).sum(axis=1))

    c.interpolate(bump)
    plane = Assumption.PLANE_STRAIN if dimension == 2 else Assumption.THREE_DIMENSIONAL
    elasticity = Elasticity(create_isotropic_stiffness(900.0, 0.3), plane)
    return StaticStress(domain, Mechanics(elasticity, Eigenstrain(EXPANSION, 0.5)), c)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(
    ("axes", "dimension", "motions"),
    [(("x",), 2, 2), (("x", "y"), 2, 2), (("x",), 3, 4), (("x", "z"), 3, 3)],
    ids=["x", "xy", "x in 3-D", "xz in 3-D"],
)
def test_stress_moves_with_the_composition(axes, dimension, motions, preset):
    lengths = LENGTHS[:dimension]
    shift = np.array([15.0, 10.0, 5.0])[:dimension]
    shift[[name not in axes for name in "xyz"[:dimension]]] = 0.0
    points = np.array([[21.0, 14.0, 9.0], [26.0, 17.0, 12.0], [3.0, 11.0, 6.0]])[:, :dimension]
    results = []
    for move in (np.zeros(dimension), shift):
        problem = create(axes, dimension, move)
        assert len(problem.solid.operator.find_free_motions()) == motions
        solve(problem, preset)
        stress = compute_stress(problem)["stress"]
        values = evaluate(problem.domain, stress, (points + move) % lengths * 1e-9)
        results.append(np.append(values.ravel(), problem.energies()["elastic"]))
    scale = np.abs(results[0]).max()
    np.testing.assert_allclose(results[1], results[0], atol=1e-9 * scale)
