"""The voltage of a particle of three phases while one front after the other crosses it."""

import numpy as np
import pytest

import chemomech

LENGTH = 100
# Width of both interfaces, in nm.
WIDTH = 5.0


def create_config(poor, rich):
    """A strip whose rich phase, at the end that reacts, has come a quarter of the way."""
    middle, half = (poor + rich) / 2, (rich - poor) / 2
    start = f"{middle} - {half}*tanh((x - {LENGTH / 4})/{WIDTH / 2})"
    step = {"kind": "galvanostatic", "direction": "lithiate", "c_rate": 0.3, "duration": "20 min"}
    return chemomech.create_config(
        {
            "geometry": {"kind": "box", "size": [f"{LENGTH} nm", "2.5 nm"]},
            "material": {
                "free_energy": {"kind": "lixv2o5"},
                "gradient": {"interface_width": f"{WIDTH} nm"},
                "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
            },
            "reaction": [
                {"kind": "exchange_constant", "group": "left", "rate_constant": "1e-7 m/s"}
            ],
            "schedule": {"reference_voltage": "3.39 V", "step": [step]},
            "initial": {"kind": "formula", "formula": start},
            "time": {"end": "1 h"},
        }
    )


@pytest.mark.parametrize(("poor", "rich", "plateau"), [(0.1, 0.3, 3.39), (0.7, 0.9, 3.20)])
def test_voltage_while_a_front_is_under_way(comm, poor, rich, plateau, verify):
    simulation = chemomech.Simulation(create_config(poor, rich), comm)
    simulation.run(quiet=True)
    ledger = simulation.ledger
    share = (ledger["lithium_mean"] - poor) / (rich - poor)
    # The formula's front is not quite that of equilibrium, and has settled by then.
    under_way = (share > 0.3) & (share < 0.7)
    assert share.max() > 0.7
    assert under_way.sum() > 10
    errors = 1e3 * np.abs(ledger["voltage_V"][under_way] - plateau)
    verify(f"plateau at {plateau:g} V", errors.max(), 0.0, "mV", abs=1.0, against="common tangent")
