"""Simulations with a piecewise-linear eigenstrain: by phase, of molar volumes, of unit cells."""

import csv

import numpy as np
import pytest
from box import ELASTIC, create_tables
from mpi4py import MPI
from stopping import run_whole_and_in_parts

import chemomech
from chemomech.config import create_config, format_config
from chemomech.errors import InputError
from chemomech.models.building import create_problem, create_stepper
from chemomech.models.particle import create_particle
from chemomech.output.ledger import read_ledger
from chemomech.solvers.presets import Preset

COMM = MPI.COMM_WORLD
OMEGA, SITES = 2.415e-6, 18500.0
EMPTY = 54e-6
PRESETS = [each.value for each in Preset]


def phases(*windows, **keys):
    """Table of windows (lowest, highest, Omega in m^3/mol)."""
    names = ("lowest", "highest", "partial_molar_volume")
    rows = [dict(zip(names, (a, b, f"{omega} m^3/mol"), strict=True)) for a, b, omega in windows]
    return {"kind": "phases", "phases": rows, **keys}


def volumes(contents, swellings, **keys):
    """Table of volumes, relative to the first by e* = swelling, of which a third is linear."""
    texts = [f"{EMPTY * (1 + 3 * swelling)} m^3/mol" for swelling in swellings]
    return {"kind": "molar_volumes", "lithium": contents, "volumes": texts, **keys}


TABLES = {
    "phases": phases((0.0, 0.2, 1e-6), (0.4, 0.6, 3e-6), (0.8, 1.0, 1.5e-6)),
    "molar_volumes": volumes([0.0, 0.3, 0.7, 1.0], [0.0, 0.006, 0.01, 0.016]),
}


START = {"kind": "noise", "mean": 0.5, "amplitude": 0.05, "seed": 3}


def configure(eigenstrain, solver=None, **tables):
    mechanics = ELASTIC | {"eigenstrain": eigenstrain}
    tables = {"mechanics": mechanics, "initial": START, "solver": solver} | tables
    return create_config(create_tables(**tables))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", TABLES)
def test_a_closed_particle_separates_and_loses_energy(folder, name, preset):
    chemomech.simulate(
        configure(TABLES[name], {"preset": preset}, time={"end": "2 s"}), folder, COMM, quiet=True
    )
    ledger = read_ledger(folder / "ledger.csv")
    energies = ledger["energy_total_J_per_m"]
    assert (np.diff(energies) <= 1e-9 * np.abs(energies).max()).all()
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-11
    assert ledger["c_min"][-1] < 0.25
    assert ledger["c_max"][-1] > 0.75


LINEAR = {
    "one phase": phases((0.0, 1.0, OMEGA)),
    "two equal phases": phases((0.0, 0.4, OMEGA), (0.6, 1.0, OMEGA), transition=0.2),
    "volumes": volumes(
        [0.1, 0.5, 0.8],
        [OMEGA * SITES / 3 * (x - 0.5) for x in (0.1, 0.5, 0.8)],
        reference_composition=0.5,
    ),
}


@pytest.mark.one_rank
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", LINEAR)
def test_a_straight_table_is_vegards_law(name, preset):
    straight, vegard = (take_steps(table, preset) for table in (LINEAR[name], ELASTIC_LAW))
    np.testing.assert_allclose(straight, vegard, rtol=0.0, atol=1e-9)


ELASTIC_LAW = ELASTIC["eigenstrain"] | {"reference_composition": 0.5}


def take_steps(eigenstrain, preset, steps=5):
    """Composition on this rank after some steps of one length."""
    solver = {"preset": preset, "relative_tolerance": 1e-11, "newton_share": 0.0}
    time = {"end": "1 s", "adaptive": False, "first_step": "5 ms"}
    config = configure(eigenstrain, solver, time=time)
    problem = create_problem(config, create_particle(config, COMM))
    stepper = create_stepper(config, problem)
    for _ in range(steps):
        stepper.advance(1e9)
    return problem.c.x.array.copy()


@pytest.mark.one_rank
def test_a_restarted_run_ends_as_if_undisturbed(folder, monkeypatch):
    config = configure(TABLES["phases"], {"preset": "iterative"})
    whole, parts = run_whole_and_in_parts(config, folder, monkeypatch, 6)
    for name in ("lithium_mean", "c_min", "c_max", "energy_total_J_per_m"):
        np.testing.assert_array_equal(parts[name], whole[name])


def test_unit_cells_in_a_wire(folder):
    """Each edge of the cells strains one axis; b along the wire, which lies along x here."""
    if COMM.rank == 0:
        with (folder / "cells.csv").open("w", newline="") as file:
            edges = [f"{edge}_angstrom" for edge in "abc"]
            csv.writer(file).writerows(
                [
                    ["name", "x", *edges, "formula_units"],
                    ["empty", 0.0, 11.5, 3.56, 4.37, 2],
                    ["half", 0.5, 11.5 * 1.002, 3.56 * 0.998, 4.37 * 1.006, 2],
                    ["full", 1.0, 11.5 * 1.006, 3.56 * 0.994, 4.37 * 1.02, 2],
                ]
            )
    COMM.barrier()
    table = {"kind": "lattice", "file": str(folder / "cells.csv"), "axes": "bca"}
    wire = {"kind": "nanowire", "width": "20 nm", "legs": "30 nm"}
    tables = {"geometry": wire, "initial": {"kind": "uniform", "mean": 0.25}}
    config = configure(table | {"reference_composition": 0.0}, **tables)
    problem = create_problem(config, create_particle(config, COMM))
    strain = problem.solid.mechanics.eigenstrain.strain(problem.c)
    mean = [problem.compile_integral(strain[i, i])() / problem.volume for i in range(3)]
    np.testing.assert_allclose(mean, [-0.001, 0.003, 0.001], rtol=1e-12)


@pytest.mark.parametrize(
    ("table", "key", "match"),
    [
        (
            ELASTIC["eigenstrain"] | {"site_concentration": "18500 mol/m^3"},
            "site_concentration",
            "no meaning in a simulation",
        ),
        (TABLES["phases"] | {"transition": 0.0}, "transition", "mu would jump"),
        (TABLES["phases"] | {"reference_composition": 1.5}, "reference_composition", "at most 1"),
        (TABLES["phases"] | {"transition": 2.0}, "transition", "at most 1"),
    ],
)
def test_what_has_no_meaning_in_a_simulation_is_refused(table, key, match):
    with pytest.raises(InputError, match=match) as caught:
        configure(table)
    assert caught.value.key == f"mechanics.eigenstrain.{key}"


def test_defaults_are_spelled_out():
    text = format_config(configure(TABLES["phases"]))
    assert "transition = 0.05" in text
    assert 'reference_composition = "mean"' in text
