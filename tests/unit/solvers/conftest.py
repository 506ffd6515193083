"""Problems small enough to be solved by hand."""

import math
from functools import cache

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.forms.fields import Evolution, Field
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.solvers.history import LEVELS, History
from chemomech.solvers.steps import Memory


# Made once: the next one might be divided among the ranks in another way, and values are compared
# rank by rank.
@cache
def create_square():
    return mesh.create_unit_square(MPI.COMM_WORLD, 3, 3)


@cache
def create_box(dimension):
    return create_domain(Box((40e-9, 20e-9, 20e-9)[:dimension]), 5e-9, MPI.COMM_WORLD)


class Scalar:
    """dc/dt + reaction(c) = 0 at every point of a square, for the solvers' protocols.

    The energy is the mean of c^2.
    """

    def __init__(self, reaction, bounds=(-math.inf, math.inf), is_closed=False):
        self.mesh = create_square()
        space = fem.functionspace(self.mesh, ("Lagrange", 1))
        self.c, self.history = fem.Function(space, name="c"), fem.Function(space)
        self.mass_coefficient = fem.Constant(self.mesh, 0.0)
        self.is_closed = is_closed
        rate = self.mass_coefficient * self.c + self.history
        dx = ufl.dx(metadata={"quadrature_degree": 3})
        q = ufl.TestFunction(space)
        residual = rate * q * dx + reaction(self.c) * q * dx
        evolution = Evolution(self.history, self.mean_square, self.outflow)
        self.fields = [Field(self.c, residual, bounds=bounds, evolution=evolution)]
        self.varying = (self.history,)
        self._reaction = fem.form(ufl.as_ufl(reaction(self.c)) * dx(self.mesh))

    def mean_square(self, values):
        comm = self.mesh.comm
        count = comm.allreduce(len(values))
        return comm.allreduce(float(np.sum(values**2))) / count

    def outflow(self):
        """The mean of c changes by nothing but the reaction."""
        return self.mesh.comm.allreduce(fem.assemble_scalar(self._reaction))

    def energies(self):
        return {"square": self.mean_square(self.c.x.array)}


@pytest.fixture
def scalar():
    """Return the class of scalar problems."""
    return Scalar


@pytest.fixture
def recall_exactly():
    """Return a function for the memory of a scalar run that has made no error so far."""

    def create(problem, exact, size):
        """As many steps of one size as formulas look back on, ending at time zero."""
        history = None
        for time in size * np.arange(1.0 - LEVELS, 1.0):
            state = [np.full_like(problem.c.x.array, exact(time))]
            if history is None:
                history = History(
                    [time], [state], [[1.0 - exact(time)]], {0: np.zeros_like(state[0])}
                )
            else:
                history.push(time, state, [1.0 - exact(time)])
        return Memory(LEVELS - 1, history, size, size, size)

    return create


@pytest.fixture
def create_chemo_mechanics():
    """Return a function for a small coupled problem with a wavy composition."""

    def create(assumption="plane_strain", loads=None, mobility=None):
        domain = create_box(3 if assumption == "three_dimensional" else 2)
        mechanics = None
        if assumption is not None:
            stiffness = create_isotropic_stiffness(937.6, 0.3)
            law = Elasticity(stiffness, Assumption(assumption))
            mechanics = Mechanics(law, Eigenstrain.isotropic(0.0149, 0.5))
        psi = FreeEnergyDensity(RegularSolution(2.75), 22.4, mechanics)
        problem = ChemoMechanics(domain, psi, mobility or DegenerateMobility(1.0), loads)
        problem.c.interpolate(lambda x: 0.5 + 0.2 * np.sin(x[0] / 9) * np.cos(x[1] / 7))
        problem.mass_coefficient.value = 0.1
        problem.history.x.array[:] = -0.1 * problem.c.x.array
        return problem

    return create
