"""Parameters of a model: set one, and the next solve is that of a model made with it."""

import copy
from contextlib import contextmanager
from functools import cache

import ffcx.codegeneration.jit
import numpy as np
import pytest
import ufl
from mpi4py import MPI

from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.models.building import create_problem, create_stepper
from chemomech.models.particle import create_particle
from chemomech.simulation.stages import create_timetable

STEP = 2e-4  # s
#: Each parameter's key in the configuration, and another value than the one it has below.
CHANGES = {
    "material.free_energy.chi": 2.9,
    "material.gradient.kappa": "8e-14 J*m^2/mol",
    "material.mobility.diffusivity": "2e-15 m^2/s",
    "mechanics.elasticity.young_modulus": "60 GPa",
    "mechanics.elasticity.poisson_ratio": 0.2,
    "mechanics.eigenstrain.partial_molar_volume": "3.1e-6 m^3/mol",
    "mechanics.eigenstrain.reference_composition": 0.3,
    "mechanics.prestrain.fraction": 0.05,
    "reaction.0.rate_constant": "3e-8 m/s",
    "noise.strength": 3.0,
}
ORTHOTROPIC = {
    "mechanics.elasticity.young_moduli": ["40 GPa", "70 GPa", "25 GPa"],
    "mechanics.elasticity.poisson_ratios": [0.2, 0.3, 0.25],
    "mechanics.elasticity.shear_moduli": ["9 GPa", "11 GPa", "20 GPa"],
    "mechanics.eigenstrain.tensor": [[0.02, 0.003, 0], [0.003, -0.01, 0], [0, 0, 0.01]],
}
CUBIC = {
    "mechanics.elasticity.c11": "70 GPa",
    "mechanics.elasticity.c12": "20 GPa",
    "mechanics.elasticity.c44": "30 GPa",
    "crystal.0.euler_angles": ["20 deg", "0 deg", "5 deg"],
}
TRANSPORT = {
    "material.gradient.anisotropy.tensor": [[1.2, 0.2, 0], [0.2, 0.8, 0], [0, 0, 1]],
    "material.mobility.diffusivities": [f"{value}e-16 m^2/s" for value in (5, 20, 8)],
    "material.mobility.anisotropy.values": [1.5, 0.4, 1.0],
    "material.mobility.strain.values": [-40.0, 10.0, 0.0],
}
MATERIALS = {
    "transport": {
        "gradient": {
            "kappa": "5.5e-14 J*m^2/mol",
            "anisotropy": {"tensor": [[1, 0.1, 0], [0.1, 0.6, 0], [0, 0, 1]], "frame": "wire"},
        },
        "mobility": {
            "kind": "table",
            "compositions": [0.0, 0.4, 1.0],
            "diffusivities": ["1e-15 m^2/s", "2e-16 m^2/s", "1e-15 m^2/s"],
            "anisotropy": {"values": [1.0, 0.2, 1.0], "frame": "wire"},
            "strain": {"values": [-20.0, 5.0, 0.0], "frame": "wire"},
        },
    }
}
LAWS = {
    "isotropic": {},
    "transport": {},
    "orthotropic": {
        "elasticity": {
            "kind": "orthotropic",
            "young_moduli": ["40 GPa", "60 GPa", "25 GPa"],
            "poisson_ratios": [0.25, 0.3, 0.2],
            "shear_moduli": ["9 GPa", "11 GPa", "15 GPa"],
            "frame": "wire",
        },
        "eigenstrain": {
            "kind": "tensor",
            "tensor": [[0.01, 0.002, 0], [0.002, -0.03, 0], [0, 0, 0.02]],
            "frame": "wire",
        },
    },
    "cubic": {
        "elasticity": {
            "kind": "cubic",
            "c11": "60 GPa",
            "c12": "25 GPa",
            "c44": "20 GPa",
            "frame": "crystal",
        },
        "assumption": "plane_stress",
    },
}
#: One for each way in which a matrix or a preconditioner holds a parameter.
ON_RANKS = (
    *("material.gradient.kappa", "mechanics.elasticity.young_modulus", "noise.strength"),
    "material.mobility.strain.values",
)
#: What the iterative solver holds of the blocks, beside the matrices that both solvers have.
IN_PRECONDITIONERS = (*ON_RANKS, "material.mobility.diffusivity", "mechanics.elasticity.c44")
CASES = [
    pytest.param(law, key, value, preset, marks=[] if key in ON_RANKS else pytest.mark.one_rank)
    for law, changes in (
        ("isotropic", CHANGES),
        ("orthotropic", ORTHOTROPIC),
        ("cubic", CUBIC),
        ("transport", TRANSPORT),
    )
    for key, value in changes.items()
    for preset in ("direct", "iterative")
    if (law == "transport") == (preset == "iterative") or key in IN_PRECONDITIONERS
]


def configure(law, preset, changes=None):
    mechanics = {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {
            "kind": "vegard",
            "partial_molar_volume": "2.415e-6 m^3/mol",
            "reference_composition": 0.5,
        },
        "prestrain": {"kind": "bending", "fraction": 0.15},
        **copy.deepcopy(LAWS[law]),
    }
    table = {
        "geometry": {
            "kind": "nanowire",
            "width": "20 nm",
            "bend_radius": "40 nm",
            "bend_angle": "60 deg",
            "legs": ["10 nm", "10 nm"],
        },
        "mesh": {"size": "5 nm", "allow_coarse": True},
        "material": {
            "free_energy": {"kind": "regular_solution", "chi": 2.6},
            "gradient": {"kappa": "5.5e-14 J*m^2/mol"},
            "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
            **copy.deepcopy(MATERIALS.get(law, {})),
        },
        "mechanics": mechanics,
        "reaction": [{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-8 m/s"}],
        "schedule": {"step": [{"kind": "potentiostatic", "mu_res": "1 kJ/mol"}]},
        "noise": {"interval": "1 ms", "seed": 3, "depth": "10 nm"},
        "initial": {"kind": "noise", "mean": 0.5, "amplitude": 0.05, "seed": 2},
        "time": {"end": "1 s", "adaptive": False, "first_step": f"{STEP} s"},
        "solver": {
            "preset": preset,
            "relative_tolerance": 1e-13,
            "absolute_tolerance": 1e-13,
            "newton_share": 0.0,
            "max_newton_iterations": 60,
        },
    }
    if law == "cubic":
        table["crystal"] = [{"euler_angles": ["0 deg"] * 3}]
    for key, value in (changes or {}).items():
        *path, last = key.split(".")
        place = table
        for part in path:
            place = place[int(part) if part.isdigit() else part]
        place[last] = value
    return create_config(table)


@cache
def create_wire():
    """The meshed wire of all cases."""
    return create_particle(configure("isotropic", "direct"), MPI.COMM_WORLD)


def create(config):
    """A problem in contact with its reservoir, its noise drawn, and its initial composition."""
    problem = create_problem(config, create_wire())
    stage = create_timetable(config, problem).stages[0]
    problem.surface.hold(stage.drive)
    problem.noise.draw(3, 0, config.noise.interval / config.material.scales.time)
    return problem


def solve(problem, stepper):
    """Take a step and copy all that was solved for, in SI units where they depend on D."""
    stepper.reset_history()
    stepper.advance(np.inf)
    return [unknown.x.array.copy() for unknown in problem.unknowns]


@contextmanager
def counting_compilations(monkeypatch):
    compiled = []
    original = ffcx.codegeneration.jit._compile_objects

    def count(*args, **kwargs):
        compiled.append(args)
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(ffcx.codegeneration.jit, "_compile_objects", count)
        yield compiled


@pytest.fixture(scope="module")
def solved():
    """Return a function for a model that has been solved, with its stepper and initial state."""
    known = {}

    def get(law, preset):
        if (law, preset) not in known:
            config = configure(law, preset)
            problem = create(config)
            stepper = create_stepper(config, problem)
            start = [unknown.x.array.copy() for unknown in problem.unknowns]
            solve(problem, stepper)
            known[law, preset] = problem, stepper, start
        return known[law, preset]

    return get


@pytest.mark.parametrize(("law", "key", "value", "preset"), CASES)
def test_set_then_solve_is_build_then_solve(solved, monkeypatch, law, key, value, preset):
    """With the parameter changed and changed back; nothing is compiled."""
    problem, stepper, start = solved(law, preset)
    config = configure(law, preset, {key: value})
    with counting_compilations(monkeypatch) as compiled:
        other = create(config)
        expected = solve(other, create_stepper(config, other))
        before = problem.parameters[key]
        restore(problem, start)
        problem.parameters[key] = other.parameters[key]
        changed = solve(problem, stepper)
        problem.parameters[key] = before
        restore(problem, start)
        unchanged = solve(problem, stepper)
    assert not compiled
    for unknown, mine, theirs in zip(problem.unknowns, changed, expected, strict=True):
        scale = max(np.abs(theirs).max(initial=0.0), 1e-30)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10 * scale, err_msg=unknown.name)
    moved = max(np.abs(a - b).max(initial=0.0) for a, b in zip(changed, unchanged, strict=True))
    assert MPI.COMM_WORLD.allreduce(moved, op=MPI.MAX) > 1e-6


def restore(problem, state):
    for unknown, values in zip(problem.unknowns, state, strict=True):
        unknown.x.array[:] = values


def test_they_are_listed_in_si_units_with_their_meaning():
    parameters = create(configure("isotropic", "direct")).parameters
    assert set(parameters) == {*CHANGES, "reaction.0.rate_constant"}
    assert parameters["mechanics.elasticity.young_modulus"] == 43e9
    meaning = parameters.describe("mechanics.elasticity.young_modulus")
    assert (meaning.unit, meaning.description) == ("Pa", "Young's modulus E")


def test_tensors_in_the_wires_frame_turn_with_it():
    """At each point of the arc, along the wire and across it."""
    problem = create(configure("transport", "direct"))
    tx, ty = create_wire().tangent
    along, across = ufl.as_vector([tx, ty]), ufl.as_vector([-ty, tx])
    kappa = problem.energy_density.gradient_coefficient
    kappa = kappa / problem.compile_integral(ufl.dot(along, kappa * along))() * problem.volume
    factors = problem.mobility.law.tensor
    misses = (
        *(ufl.dot(a, factors * b) - x for a, b, x in ((along, along, 1), (along, across, 0))),
        *(ufl.dot(across, factors * across) - 0.2, ufl.dot(across, kappa * across) - 0.6),
        ufl.dot(across, kappa * along) - 0.1,
    )
    assert problem.compile_integral(sum(miss**2 for miss in misses))() < 1e-20 * problem.volume


def test_a_change_of_chi_leaves_kappa_alone():
    """The interface width makes kappa once."""
    changes = {"material.gradient": {"interface_width": "10 nm"}}
    config = configure("isotropic", "direct", changes)
    parameters = create(config).parameters
    assert parameters["material.gradient.kappa"] == config.material.kappa
    parameters["material.free_energy.chi"] = 3.0
    assert parameters["material.gradient.kappa"] == config.material.kappa


@pytest.mark.parametrize(
    ("law", "key", "value", "message"),
    [
        ("isotropic", "material.chi", 2.0, "did you mean material.free_energy.chi?"),
        (
            "isotropic",
            "mechanics.elasticity.young_modulus",
            -1e9,
            r"accepted range \[1, 1e\+15\] Pa",
        ),
        ("isotropic", "mechanics.eigenstrain.reference_composition", 1.5, r"\[0, 1\]"),
        ("isotropic", "material.free_energy.chi", [2.0, 3.0], "shape"),
        ("cubic", "mechanics.elasticity.c12", 80e9, "not positive definite"),
        ("cubic", "crystal.0.euler_angles", [0.0, 0.1, 0.0], "tilt a crystal out of the plane"),
        (
            "orthotropic",
            "mechanics.eigenstrain.tensor",
            [[0.01, 0.002, 0.01], [0.002, -0.03, 0], [0.01, 0, 0.02]],
            "zero cannot be changed",
        ),
        (
            "orthotropic",
            "mechanics.eigenstrain.tensor",
            [[0.01, 0.004, 0], [0.002, -0.03, 0], [0, 0, 0.02]],
            "symmetric",
        ),
        ("transport", "material.mobility.diffusivities", [1e-15, -1e-15, 1e-15], "m\\^2/s"),
        ("transport", "material.mobility.anisotropy.values", [1.0, -1.0, 1.0], "positive in every"),
        (
            "transport",
            "material.gradient.anisotropy.tensor",
            [[1, 2, 0], [2, 0.6, 0], [0, 0, 1]],
            "positive in every",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(law, key, value, message):
    parameters = create(configure(law, "direct")).parameters
    before = {name: np.array(number) for name, number in parameters.items()}
    with pytest.raises(InputError, match=message):
        parameters[key] = value
    for name, number in parameters.items():
        np.testing.assert_array_equal(number, before[name])


@pytest.mark.parametrize("preset", ["direct", "iterative"])
@pytest.mark.parametrize(
    ("key", "double"),
    [
        ("material.gradient.kappa", "1.1e-13 J*m^2/mol"),
        ("mechanics.elasticity.young_modulus", "86 GPa"),
    ],
)
def test_a_factor_of_two_is_twice_the_value(key, double, preset):
    """Both factors of the preconditioner see a kappa that is a field."""
    results = []
    for changes in (
        {"grading": [{"parameter": key, "formula": "2 + 0*x"}]},
        {key: double},
    ):
        config = configure("isotropic", preset, changes)
        problem = create(config)
        results.append(solve(problem, create_stepper(config, problem)))
    for graded, uniform in zip(*results, strict=True):
        scale = np.abs(uniform).max(initial=0.0)
        np.testing.assert_allclose(graded, uniform, rtol=0, atol=1e-10 * scale)


def test_a_graded_parameter_has_the_value_of_each_place():
    """Of a uniform composition the chemical energy is that of the mean chi; set it."""
    grading = [{"parameter": "material.free_energy.chi", "formula": "1 + 0.5*(along > 30)"}]
    changes = {"grading": grading, "initial": {"kind": "uniform", "mean": 0.4}}
    problem = create(configure("isotropic", "direct", changes))
    share = (
        problem.compile_integral(problem.energy_density.homogeneous.chi)() / problem.volume / 2.6
    )
    assert 1.1 < share < 1.4
    entropy = 0.4 * np.log(0.4) + 0.6 * np.log(0.6)
    for chi in (2.6, 3.0):
        problem.parameters["material.free_energy.chi"] = chi
        energy = problem.volume * (entropy + chi * share * 0.4 * 0.6)
        assert problem.energies()["chemical"] == pytest.approx(energy, rel=1e-12)


@pytest.mark.parametrize(
    ("grading", "key", "message"),
    [
        ({"parameter": "material.chi", "formula": "1"}, "grading.0.parameter", "free_energy.chi"),
        ({"parameter": "noise.strength", "formula": "x - 5"}, "grading.0.formula", "above zero"),
        ({"parameter": "noise.strength", "formula": "1 +"}, "grading.0.formula", "no formula"),
    ],
)
def test_what_cannot_be_graded_is_refused(grading, key, message):
    with pytest.raises(InputError, match=message) as caught:
        create(configure("isotropic", "direct", {"grading": [grading]}))
    assert caught.value.key == key
