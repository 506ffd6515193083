"""A particle of three phases: its plateaus and hysteresis, and what strain makes of its phases."""

import numpy as np
import pytest

import chemomech

LENGTH = 100
# Width of both interfaces, in nm.
WIDTH = 5.0


def create_config(length, start, **tables):
    """A strip of three phases, 2.5 nm wide."""
    table = {
        "geometry": {"kind": "box", "size": [f"{length} nm", "2.5 nm"]},
        "material": {
            "free_energy": {"kind": "lixv2o5"},
            "gradient": {"interface_width": f"{WIDTH} nm"},
            "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
        },
        "initial": start,
    }
    return chemomech.create_config(table | tables)


def drive(direction, c_rate, **ends):
    """A current through one end, whose reaction takes no overpotential to speak of."""
    reaction = {"kind": "exchange_constant", "group": "left", "rate_constant": "1e-7 m/s"}
    step = {"kind": "galvanostatic", "direction": direction, "c_rate": c_rate, **ends}
    return {
        "reaction": [reaction],
        "schedule": {"reference_voltage": "3.39 V", "step": [step]},
    }


@pytest.mark.parametrize(("poor", "rich", "plateau"), [(0.1, 0.3, 3.39), (0.7, 0.9, 3.20)])
def test_voltage_while_a_front_is_under_way(comm, poor, rich, plateau, verify):
    # The rich phase, at the end that reacts, has come a quarter of the way.
    middle, half = (poor + rich) / 2, (rich - poor) / 2
    start = f"{middle} - {half}*tanh((x - {LENGTH / 4})/{WIDTH / 2})"
    config = create_config(
        LENGTH,
        {"kind": "formula", "formula": start},
        time={"end": "1 h"},
        **drive("lithiate", 0.3, duration="20 min"),
    )
    simulation = chemomech.Simulation(config, comm)
    simulation.run(quiet=True)
    ledger = simulation.ledger
    share = (ledger["lithium_mean"] - poor) / (rich - poor)
    # The formula's front is not quite that of equilibrium, and has settled by then.
    under_way = (share > 0.3) & (share < 0.7)
    assert share.max() > 0.7
    assert under_way.sum() > 10
    errors = 1e3 * np.abs(ledger["voltage_V"][under_way] - plateau)
    verify(f"plateau at {plateau:g} V", errors.max(), 0.0, "mV", abs=1.0, against="common tangent")


@pytest.mark.one_rank
@pytest.mark.parametrize(("direction", "start"), [("lithiate", 0.05), ("delithiate", 0.95)])
def test_hysteresis_of_a_homogeneous_particle(comm, direction, start, verify):
    """Shorter than half the shortest wave that grows, a particle stays homogeneous throughout."""
    config = create_config(
        2.5,
        {"kind": "uniform", "mean": start},
        # No more than 0.004 in c a step, over which the curve bends by less than 0.01 mV.
        time={"end": "1 h", "max_step": "14 s"},
        **drive(direction, 1.0, until={"lithium_mean": 1.0 - start}),
    )
    simulation = chemomech.Simulation(config, comm)
    simulation.run(quiet=True)
    ledger = simulation.ledger
    assert (ledger["c_max"] - ledger["c_min"]).max() < 1e-3
    mean, voltage = ledger["lithium_mean"], ledger["voltage_V"]
    # Of mu / F about each plateau, on the way in its greatest value comes first.
    for low, high, plateau, extrema in (
        (0.05, 0.4, 3.39, (-4.180, 3.678)),
        (0.6, 0.95, 3.20, (-3.678, 4.180)),
    ):
        inside = np.flatnonzero((mean > low) & (mean < high))
        c, excess = mean[inside], 1e3 * (voltage[inside] - plateau)
        turns = 1 + np.flatnonzero(np.diff(np.sign(np.diff(excess))))
        assert len(turns) == 2
        for expected, found in zip(extrema, sorted(excess[turns]), strict=True):
            name = f"extremum of {direction[:-1]}ion about {plateau:g} V"
            verify(name, found, expected, "mV", abs=0.02, against="slope of g")
        assert np.ptp(c) > 0.3


@pytest.mark.one_rank
@pytest.mark.parametrize("strained", [False, True])
def test_isotropic_misfit_forbids_delta_beside_epsilon(comm, strained, verify):
    """A tenth in volume over 0.2 in c: noise within the spinodal grows without it, else decays."""
    # eta = Omega C / 3 = 0.16 by the volumes of both phases.
    omega = f"{3 * 0.16 / 18500} m^3/mol"
    held = [{"kind": "roller", "group": group} for group in ("left", "right", "bottom", "top")]
    mechanics = {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {"kind": "vegard", "partial_molar_volume": omega},
        "boundary": held,
    }
    config = create_config(
        40,
        {"kind": "noise", "mean": 0.8, "amplitude": 0.01, "seed": 1},
        time={"end": "0.5 s"},
        **({"mechanics": mechanics} if strained else {}),
    )
    simulation = chemomech.Simulation(config, comm)
    simulation.run(quiet=True)
    spread = simulation.ledger["c_max"] - simulation.ledger["c_min"]
    if not strained:
        verify("delta beside epsilon without strain", spread[-1], 0.2, abs=0.01, against="tangent")
        return
    assert spread[-1] < 1e-3 * spread[0]
    said = chemomech.validate(config, comm)
    # E eta^2 / (1 - nu) (0.2 / 2)^2, and the barrier of the density.
    assert "0.343 RT C, barrier 0.00989 RT C: cannot separate coherently" in said
