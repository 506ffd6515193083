"""Ends of runs in which no composition is unstable, but which may go on moving."""

from types import SimpleNamespace

import numpy as np
import pytest
from box import ELASTIC, MATERIAL, UNDRAWN, create_tables
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.models.building import create_problem
from chemomech.models.particle import create_particle
from chemomech.output.ledger import read_ledger
from chemomech.simulation.stationarity import StationarityTest

COMM = MPI.COMM_WORLD
TABLE = {"kind": "table", "compositions": [0.0, 0.5, 1.0]}
TABLE["diffusivities"] = ["1e-20 m^2/s", "1e-20 m^2/s", "1e-15 m^2/s"]
LAYERS = MATERIAL["mobility"] | {"anisotropy": {"values": [1e-5, 1e-5, 1.0]}}


@pytest.mark.parametrize("mobility", [TABLE, LAYERS], ids=["table", "layers"])
def test_what_diffuses_slowly_is_not_stationary_until_it_has(folder, mobility):
    """Waves decay in 1 / (M g'' k^2), here some hours; left is what moves at the quiet rate."""
    tables = create_tables(
        geometry={"kind": "box", "size": ["40 nm", "5 nm"]},
        material=MATERIAL | {"mobility": mobility},
        initial={"kind": "formula", "formula": "0.05 + 0.03*cos(pi*x/40)"},
        time={"end": "100 h"},
        output={"count": 1, "fields": False, **UNDRAWN},
        checkpoint={"interval": "off"},
    )
    ended = chemomech.simulate(create_config(tables), folder / "run", COMM, quiet=True)
    assert ended.endswith("no composition in it is unstable")
    ledger = read_ledger(folder / "run" / "ledger.csv")
    # M g'' k^2 times what is left of the wave is 1e-5 M g'' / (10 nm)^2.
    left = 1e-5 / (10 * np.pi / 40) ** 2
    assert ledger["c_max"][-1] - ledger["c_min"][-1] < 2 * left


@pytest.mark.parametrize(("softening", "end"), [(1.0, "no composition in it"), (0.5, None)])
def test_strain_may_make_unstable_what_softens(softening, end):
    """By e : C'(c) : e*', which g'' knows nothing of."""
    stiff, soft = ({"kind": "isotropic", "poisson_ratio": 0.3} for _ in range(2))
    stiff["young_modulus"], soft["young_modulus"] = "40 GPa", f"{40 * softening} GPa"
    elasticity = {"kind": "mixture", "poor": stiff, "rich": soft}
    mechanics = ELASTIC | ({"elasticity": elasticity} if softening < 1.0 else {})
    config = create_config(
        create_tables(mechanics=mechanics, initial={"kind": "uniform", "mean": 0.05})
    )
    problem = create_problem(config, create_particle(config, COMM))
    found = StationarityTest(1.0, problem).update(SimpleNamespace(rate=0.1, time=1.0))
    assert found is None if end is None else found.startswith(end)
