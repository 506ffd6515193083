"""Simulations of a solid that becomes softer with lithium, held by nothing."""

import numpy as np
import pytest
from box import ELASTIC, create_tables
from mpi4py import MPI
from stopping import run_whole_and_in_parts

from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.models.building import create_problem, create_stepper
from chemomech.models.particle import create_particle

COMM = MPI.COMM_WORLD
ISOTROPIC = ELASTIC["elasticity"]
MIXTURE = {
    "kind": "mixture",
    "blend": "smooth",
    "poor": ISOTROPIC | {"young_modulus": "86 GPa"},
    "rich": ISOTROPIC | {"young_modulus": "8.6 GPa", "poisson_ratio": 0.2},
}
START = {"kind": "noise", "mean": 0.5, "amplitude": 0.1, "smoothing": "6 nm", "seed": 3}


def configure(preset, elasticity=MIXTURE, **tables):
    mechanics = ELASTIC | {"elasticity": elasticity}
    solver = {"preset": preset, "relative_tolerance": 1e-11, "newton_share": 0.0}
    tables = {"mechanics": mechanics, "initial": START, "solver": solver} | tables
    return create_config(create_tables(**tables))


@pytest.fixture(scope="module")
def particle():
    """One mesh for all, divided among the ranks in one way."""
    return create_particle(configure("direct"), COMM)


def take_steps(config, particle, steps=5):
    """The model after some steps of one length."""
    problem = create_problem(config, particle)
    stepper = create_stepper(config, problem)
    for _ in range(steps):
        stepper.advance(1e9)
    return problem


def test_both_presets_find_the_same(particle):
    time = {"end": "1 s", "adaptive": False, "first_step": "5 ms"}
    problems = [
        take_steps(configure(preset, time=time), particle) for preset in ("direct", "iterative")
    ]
    direct, iterative = ([field.x.array for field in p.unknowns] for p in problems)
    for one, other in zip(direct, iterative, strict=True):
        scale = COMM.allreduce(np.abs(one).max(initial=0.0), op=MPI.MAX)
        np.testing.assert_allclose(other, one, rtol=0.0, atol=1e-8 * scale)


def test_its_compositions_are_parameters(particle):
    key = "mechanics.elasticity.compositions"
    problem = create_problem(configure("direct"), particle)
    before = problem.energies()["elastic"]
    problem.parameters[key] = [0.3, 0.6]
    other = create_problem(configure("direct", MIXTURE | {"compositions": [0.3, 0.6]}), particle)
    assert problem.energies()["elastic"] == pytest.approx(other.energies()["elastic"], rel=1e-13)
    assert problem.energies()["elastic"] != pytest.approx(before, rel=1e-4)
    with pytest.raises(InputError, match="must increase"):
        problem.parameters[key] = [1.0, 0.0]


def test_a_straight_line_stays_within_stable_solids(particle):
    """From 86 GPa to 8.6 GPa over a fifth of c would be negative from c = 0.63 on."""
    key = "mechanics.elasticity.compositions"
    problem = create_problem(configure("direct", MIXTURE | {"blend": "linear"}), particle)
    with pytest.raises(InputError, match="no stable solid at the composition 1") as caught:
        problem.parameters[key] = [0.4, 0.6]
    assert caught.value.key == key
    np.testing.assert_array_equal(problem.parameters[key], [0.0, 1.0])


def test_equal_solids_are_no_mixture(particle):
    time = {"end": "1 s", "adaptive": False, "first_step": "5 ms"}
    alike = MIXTURE | {"poor": ISOTROPIC, "rich": ISOTROPIC}
    mixed, plain = (
        take_steps(configure("iterative", law, time=time), particle, 2)
        for law in (alike, ISOTROPIC)
    )
    np.testing.assert_allclose(mixed.c.x.array, plain.c.x.array, rtol=0.0, atol=1e-10)


@pytest.mark.one_rank
def test_a_restarted_run_ends_as_if_undisturbed(folder, monkeypatch):
    """The elastic preconditioner is built again from the state it was built from."""
    time = {"end": "60 ms", "adaptive": False, "first_step": "5 ms"}
    config = configure("iterative", time=time, solver={"preset": "iterative"})
    whole, parts = run_whole_and_in_parts(config, folder, monkeypatch, 6)
    for name in ("lithium_mean", "c_min", "c_max", "energy_total_J_per_m", "krylov_iterations"):
        np.testing.assert_array_equal(parts[name], whole[name])
    energies = whole["energy_total_J_per_m"]
    assert (np.diff(energies) <= 1e-9 * np.abs(energies).max()).all()
    assert np.abs(whole["lithium_balance_error"]).max() < 1e-11
