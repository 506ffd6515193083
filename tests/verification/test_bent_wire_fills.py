"""Where lithium goes in a wire that is held bent: the tensile side."""

from dataclasses import replace

import numpy as np
import pytest

from chemomech.geometry.meshing import create_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.bent_fibre import BentFibre
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.bent_wire import create_bending_strain
from chemomech.problems.chemo_mechanics import ChemoMechanics, Loads
from chemomech.problems.conditions import Displacement

RADIUS, WIDTH, CHI = 1000.0, 10.0, 1.0


@pytest.fixture
def bent(comm, material):
    """Return a function for a clamped arc of one phase, bent by half a per cent at its edges."""

    def create(assumption):
        wire = Nanowire(
            width=WIDTH * 1e-9, bend_radius=RADIUS * 1e-9, bend_angle=0.06, legs=(0.0, 0.0)
        )
        domain = create_domain(wire, 1.25e-9, comm)
        energy = material.energy(assumption, chi=CHI, gradient=1e-3)
        prestrain = create_bending_strain(domain, wire)
        energy = replace(energy, mechanics=replace(energy.mechanics, prestrain=prestrain))
        loads = Loads((Displacement("start"), Displacement("end")))
        problem = ChemoMechanics(domain, energy, DegenerateMobility(1.0), loads)
        problem.c.x.array[:] = 0.5
        return problem

    return create


@pytest.mark.parametrize("assumption", ["plane_stress", "plane_strain"])
def test_composition_follows_the_theory_of_fibres(assumption, bent, material, relax, comm, verify):
    """dc/de = k / (g''(1/2) + 2 dchi), with the tilt k and the shift dchi of `BentFibre`."""
    fibre = BentFibre(
        material.young, material.poisson, material.expansion, assumption == "plane_strain"
    )
    problem = bent(assumption)
    before = sum(problem.energies().values())
    relax(problem)
    assert sum(problem.energies().values()) < before
    x = problem.c.function_space.tabulate_dof_coordinates()
    local = problem.c.function_space.dofmap.index_map.size_local
    y = np.hypot(x[:local, 0], x[:local, 1] - RADIUS) - RADIUS
    angle = np.arctan2(x[:local, 0], RADIUS - x[:local, 1])
    # A width and a half from either clamp, which keeps the wire from contracting across.
    mine = np.abs(angle - 0.03) * RADIUS < 15.0
    rows = np.concatenate(comm.allgather(np.stack([y[mine], problem.c.x.array[:local][mine]], 1)))
    slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0]
    curvature = 4.0 - 2.0 * CHI + 2.0 * fibre.chi_shift
    verify(
        f"slope of c across a bent wire, {assumption.replace('_', ' ')}",
        slope,
        fibre.tilt / curvature / RADIUS,
        "1/nm",
        rel=0.01,
        against="homogeneous fibres",
    )
