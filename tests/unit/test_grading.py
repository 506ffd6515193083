"""Numbers that differ from body to body."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from box import ELASTIC, create_tables
from core_and_shell import AREAS, write_core_and_shell
from mpi4py import MPI

from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.materials.elasticity import create_isotropic_stiffness
from chemomech.materials.mobility import DegenerateMobility
from chemomech.models.building import create_problem, create_stepper
from chemomech.models.particle import create_particle
from chemomech.problems.chemo_mechanics import ChemoMechanics

COMM = MPI.COMM_WORLD
MODULUS = "mechanics.elasticity.young_modulus"


@pytest.fixture
def configure(folder):
    """Return a function for a configuration on a core and a shell, with one grading or none."""
    if COMM.rank == 0:
        write_core_and_shell(folder / "two.msh")
    COMM.barrier()

    def create(grading=None, **tables):
        geometry = {"kind": "mesh", "file": str(folder / "two.msh"), "unit": "1 nm"}
        table = {"geometry": geometry, "mesh": {"allow_coarse": True}, "mechanics": ELASTIC}
        table |= {"grading": None if grading is None else [grading], "solver": {"preset": "direct"}}
        return create_config(create_tables(**table | tables))

    return create


def find_equilibrium(config, problem):
    x, y = problem.c.function_space.tabulate_dof_coordinates().T[:2]
    problem.c.x.array[:] = 0.5 + 0.2 * np.cos(x / 9.0) * np.sin(y / 7.0)
    create_stepper(config, problem)
    return problem.energies()["elastic"], problem.u.x.array.copy()


def test_modulus_of_a_group_is_that_of_a_conditional(configure):
    config = configure({"parameter": MODULUS, "cells": {"shell": 0.25}})
    particle = create_particle(config, COMM)
    graded = create_problem(config, particle)
    energy, displacement = find_equilibrium(config, graded)

    plain = create_problem(configure(), particle)
    x = ufl.SpatialCoordinate(particle.domain.mesh)
    inside = ufl.And(abs(x[0] - 20.0) < 10.0, abs(x[1] - 20.0) < 10.0)
    young = 43e9 / config.material.scales.stress * ufl.conditional(inside, 1.0, 0.25)
    mechanics = plain.energy_density.mechanics
    elasticity = replace(mechanics.elasticity, stiffness=create_isotropic_stiffness(young, 0.3))
    by_place = replace(plain.energy_density, mechanics=replace(mechanics, elasticity=elasticity))
    problem = ChemoMechanics(
        particle.domain, by_place, DegenerateMobility(1.0), discretisation=plain.discretisation
    )
    expected = find_equilibrium(config, problem)
    assert energy == pytest.approx(expected[0], rel=1e-10)
    scale = COMM.allreduce(np.abs(expected[1]).max(initial=0.0), op=MPI.MAX)
    np.testing.assert_allclose(displacement, expected[1], rtol=0, atol=1e-10 * scale)
    # And not that of one modulus everywhere.
    assert energy < 0.9 * find_equilibrium(config, plain)[0]


def test_other_cells_keep_the_number(configure):
    key = "material.free_energy.chi"
    config = configure({"parameter": key, "cells": {"core": 1.5}}, mechanics=None)
    problem = create_problem(config, create_particle(config, COMM))
    total = problem.compile_integral(problem.energy_density.homogeneous.chi)()
    assert total == pytest.approx(2.75 * (1.5 * AREAS["core"] + AREAS["shell"]), rel=1e-12)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"shel": 0.5}, r"no cell group 'shel'; did you mean 'shell'\?"),
        ({"core": 0.5, "body": 2.0}, "'core' and 'body' share cells"),
    ],
)
def test_groups_that_cannot_be_graded_are_refused(configure, cells, message):
    config = configure({"parameter": MODULUS, "cells": cells})
    with pytest.raises(InputError, match=message) as caught:
        create_problem(config, create_particle(config, COMM))
    assert caught.value.key == "grading.0.cells"


def test_shape_without_groups_is_refused():
    grading = {"parameter": "material.free_energy.chi", "cells": {"shell": 0.5}}
    config = create_config(create_tables(grading=[grading]))
    with pytest.raises(InputError, match=r"known groups: none.*a mesh made in gmsh"):
        create_problem(config, create_particle(config, COMM))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "state exactly one of formula and cells"),
        ({"formula": "2", "cells": {"shell": 2.0}}, "excludes cells"),
        ({"cells": {"shell": 0.0}}, "greater than 0"),
        ({"cells": {}}, "at least 1"),
    ],
)
def test_grading_takes_a_formula_or_factors(keys, message):
    grading = {"parameter": "material.free_energy.chi", **keys}
    with pytest.raises(InputError, match=message):
        create_config(create_tables(grading=[grading]))
