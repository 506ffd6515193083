"""Strongly separating solutions, whose phases lie closer to pure than errors in c are small."""

import pytest

from chemomech.config import create_config
from chemomech.output.ledger import read_ledger
from chemomech.run import simulate


@pytest.mark.slow
@pytest.mark.parametrize("chi", [7.0, 8.0])
def test_great_chi_separates_at_default_settings(chi, comm, tmp_path):
    path = comm.bcast(tmp_path) / "run"
    config = create_config(
        {
            "geometry": {"kind": "box", "size": ["40 nm", "1 nm"]},
            "material": {
                "free_energy": {"kind": "regular_solution", "chi": chi},
                "gradient": {"interface_width": "10 nm"},
                "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
            },
            "initial": {"kind": "noise", "mean": 0.5, "seed": 1},
            "time": {"end": "30 s"},
            "output": {"count": 2, "fields": False, "pictures": False, "movie": False},
            "checkpoint": {"interval": "off"},
        }
    )
    simulate(config, path, comm, quiet=True)
    ledger = read_ledger(path / "ledger.csv")
    tail = config.material.phases.clearance
    assert ledger["c_min"][-1] == pytest.approx(tail, rel=0.2)
    assert 1 - ledger["c_max"][-1] == pytest.approx(tail, rel=0.2)
