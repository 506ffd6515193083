"""Strongly separating solutions, whose phases lie closer to pure than errors in c are small."""

import pytest
from box import BOX, MATERIAL, UNDRAWN, create_tables

from chemomech import simulate
from chemomech.config import create_config
from chemomech.output.ledger import read_ledger


@pytest.mark.slow
@pytest.mark.parametrize("chi", [7.0, 8.0])
def test_great_chi_separates_at_default_settings(chi, comm, folder):
    config = create_config(
        create_tables(
            geometry=BOX | {"size": ["40 nm", "1 nm"]},
            material=MATERIAL | {"free_energy": {"kind": "regular_solution", "chi": chi}},
            initial={"kind": "noise", "mean": 0.5, "seed": 1},
            time={"end": "30 s"},
            output={"count": 2, "fields": False, **UNDRAWN},
            checkpoint={"interval": "off"},
        )
    )
    simulate(config, folder / "run", comm, quiet=True)
    ledger = read_ledger(folder / "run" / "ledger.csv")
    tail = config.material.phases.distance_to_bounds
    assert ledger["c_min"][-1] == pytest.approx(tail, rel=0.2)
    assert 1 - ledger["c_max"][-1] == pytest.approx(tail, rel=0.2)
