"""What processes bring to a model must not clash with what is there."""

from contextlib import closing

import pytest
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import ConstantMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.diffusion import Diffusion
from chemomech.problems.process import SourceProcess
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import StepControl
from chemomech.solvers.time_stepping import Bdf

ENERGY = FreeEnergyDensity(RegularSolution(0.5), 4.0)


class Dopant:
    """A second species that goes its own way."""

    names = ("d", "mu_d")
    energy_names = ("dopant",)
    varying = ()

    def __init__(self, problem):
        mobility, coefficient = ConstantMobility(0.2), problem.mass_coefficient
        self._diffusion = Diffusion(problem.domain, ENERGY, mobility, coefficient, names=self.names)
        part = self._diffusion.energies["chemical"]
        self.energies = dict.fromkeys(self.energy_names, part)

    def create_fields(self, energy):
        return self._diffusion.create_fields(energy)


class Impurity(Dopant):
    """A third one."""

    names = ("i", "mu_i")
    energy_names = ("impurity",)


class TakesLithiumsName(Dopant):
    names = ("c", "mu_d")


class TakesDopantsName(Dopant):
    names = ("i", "mu_d")
    energy_names = ("impurity",)


class TakesTheGradientsName(Dopant):
    energy_names = ("dopant", "gradient")


def create(*processes):
    domain = create_domain(Box((40e-9, 20e-9)), 20e-9, MPI.COMM_WORLD)
    return ChemoMechanics(domain, ENERGY, ConstantMobility(1.0), processes=processes)


def test_names_of_their_own_are_accepted():
    problem = create(Dopant, Impurity)
    assert [field.name for field in problem.fields] == ["c", "mu", "d", "mu_d", "i", "mu_i"]
    assert [*problem.energies()] == ["chemical", "gradient", "dopant", "impurity"]


@pytest.mark.parametrize(
    ("processes", "message"),
    [
        ([TakesLithiumsName], "field.*Diffusion and TakesLithiumsName.*'c'"),
        ([Dopant, TakesDopantsName], "field.*Dopant and TakesDopantsName.*'mu_d'"),
        ([TakesTheGradientsName], "energy.*Diffusion and TakesTheGradientsName.*'gradient'"),
        ([Dopant, Dopant], "Dopant and Dopant.*'dopant'"),
    ],
    ids=["field", "field_of_another", "energy", "twice"],
)
def test_a_name_that_is_taken_is_refused(processes, message):
    with pytest.raises(InputError, match=message):
        create(*processes)


class Supply(SourceProcess):
    """Lithium that appears everywhere at one rate."""

    rate = 1e-3

    def __init__(self, problem):
        self._dx = problem.domain.dx(2)

    def add_to(self, field, test):
        return -self.rate * test * self._dx if field == "c" else None


@pytest.mark.parametrize("preset", list(Preset))
def test_a_share_of_lithiums_equation(preset):
    """dc/dt = rate at any time, and no step is refused for the energy that comes with it."""
    problem = create(Supply)
    problem.c.x.array[:] = 0.3
    assert not problem.is_closed
    solver = NewtonSolver(BlockSystem(problem), preset)
    with closing(Bdf(problem, solver, StepControl(first_step=1.0))) as stepper:
        while stepper.time < 20.0:
            stepper.advance(20.0)
    assert problem.mean_composition() == pytest.approx(0.32, rel=1e-9)
    # The mean is balanced to round-off, the rest solved as exactly as Newton's method is asked for.
    assert problem.c.x.array == pytest.approx(0.32, rel=1e-6)
