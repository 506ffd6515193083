"""Integrals by the weight of a domain: here 2 pi r, which makes a cylinder of a rectangle."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.measures import compute_mean
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.reactions import ConstantFlux
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.surface import SurfaceReaction

RADIUS, HEIGHT = 20.0, 10.0
VOLUME, AREA = np.pi * RADIUS**2 * HEIGHT, 2 * np.pi * RADIUS * (HEIGHT + RADIUS)
YOUNG, POISSON, KAPPA = 900.0, 0.3, 20.0


@pytest.fixture(scope="module")
def cylinder():
    """A particle of c = r / R, held in place."""
    box = create_domain(Box((RADIUS * 1e-9, HEIGHT * 1e-9)), 5e-9, MPI.COMM_WORLD)
    domain = replace(box, weight=2 * ufl.pi * ufl.SpatialCoordinate(box.mesh)[0])
    stiffness = create_isotropic_stiffness(YOUNG, POISSON)
    law = Elasticity(stiffness, Assumption.PLANE_STRAIN)
    mechanics = Mechanics(law, Eigenstrain.isotropic(0.01, 0.0))
    problem = ChemoMechanics(
        domain,
        FreeEnergyDensity(RegularSolution(0.0), KAPPA, mechanics),
        DegenerateMobility(1.0),
        reactions=[SurfaceReaction("surface", ConstantFlux(3.0))],
    )
    problem.c.interpolate(lambda x: x[0] / RADIUS)
    return problem


def test_volumes_and_surfaces(cylinder):
    assert cylinder.volume == pytest.approx(VOLUME, rel=1e-12)
    assert cylinder.mean_composition() == pytest.approx(2 / 3, rel=1e-12)
    assert cylinder.outflow() == pytest.approx(3.0 * AREA, rel=1e-12)
    mesh, dx = cylinder.domain.mesh, cylinder.domain.dx(3)
    assert compute_mean(cylinder.c**2, mesh, dx) == pytest.approx(1 / 2, rel=1e-12)


def test_energies(cylinder):
    """W = (3 lambda + 2 mu) 3 eta^2 c^2 / 2 of the strained solid, whose displacement is zero."""
    energies = cylinder.energies()
    bulk = YOUNG / (1 - 2 * POISSON)
    assert energies["gradient"] == pytest.approx(KAPPA / 2 / RADIUS**2 * VOLUME, rel=1e-12)
    elastic = bulk * 3 * 0.01**2 / 2 * VOLUME / 2
    assert energies["elastic"] == pytest.approx(elastic, rel=1e-12)
