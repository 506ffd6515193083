"""PFHub's benchmark 1b: spinodal decomposition in a square without flux.

Of the four published curves in the reference file, the two of FEniCS_smondal44 and MOOSE_mfrichtl
are the only pair within 1 % of each other at every time up to 1000; they make the band here.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.free_energy import create_double_well
from chemomech.materials.mobility import ConstantMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.diffusion import Discretisation
from chemomech.solvers.steps import StepControl

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "pfhub" / "BM1b_reference_band.csv"
AGREEING = ("FEniCS_smondal44", "MOOSE_mfrichtl")
LAST = 1000.0


def initial_composition(x):
    """c = 0.5 + 0.01 [...], of the benchmark's definition."""
    return 0.5 + 0.01 * (
        np.cos(0.105 * x[0]) * np.cos(0.11 * x[1])
        + (np.cos(0.13 * x[0]) * np.cos(0.087 * x[1])) ** 2
        + np.cos(0.025 * x[0] - 0.15 * x[1]) * np.cos(0.07 * x[0] - 0.02 * x[1])
    )


@pytest.fixture
def create_benchmark(comm):
    """Return a function for the benchmark on cells of a given size, quadratic elements."""

    def create(size):
        domain = create_domain(Box((200e-9, 200e-9)), size * 1e-9, comm)
        energy = FreeEnergyDensity(create_double_well(5.0, (0.3, 0.7)), 2.0)
        rule = Discretisation(composition_degree=2)
        problem = ChemoMechanics(domain, energy, ConstantMobility(5.0), discretisation=rule)
        problem.c.interpolate(initial_composition)
        return problem

    return create


def test_initial_energy(create_benchmark, verify):
    problem = create_benchmark(4.0)
    energy = sum(problem.energies().values())
    verify("PFHub 1b, energy at the start", energy, 319.0433, rel=1e-3, against="its definition")


@pytest.fixture
def reference():
    """Times up to the last one looked at, and the curves by code."""
    if not REFERENCE.is_file():
        pytest.skip(f"the published curves are not there: {REFERENCE.name}")
    with REFERENCE.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if float(row["time"]) <= LAST]
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_band_is_of_the_only_codes_that_agree(reference):
    codes = [name for name in reference if name != "time"]
    for i, first in enumerate(codes):
        for second in codes[i + 1 :]:
            deviation = np.max(np.abs(reference[first] / reference[second] - 1))
            assert (deviation < 0.01) == ({first, second} == set(AGREEING))


@pytest.mark.slow
def test_energy_stays_in_the_band(create_benchmark, create_stepper, reference, verify):
    problem = create_benchmark(2.5)
    # The band is 1 % wide: errors in time must be well below.
    stepper = create_stepper(problem, StepControl(2e-4))
    energies = []
    for time in reference["time"]:
        while stepper.time < time:
            stepper.advance(time)
        energies.append(sum(stepper.energies.values()))
    curves = np.array([reference[name] for name in AGREEING])
    beyond = np.maximum(1 - energies / curves.min(axis=0), energies / curves.max(axis=0) - 1)
    verify(
        f"PFHub 1b, energy beyond the band up to t = {LAST:.0f}",
        max(beyond.max(), 0.0),
        0.0,
        abs=0.01,
        against="two published codes",
    )
