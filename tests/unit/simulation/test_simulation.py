"""A simulation held in Python: stepped, watched, changed on the way, restarted."""

import numpy as np
import pytest
from box import ELASTIC, UNDRAWN, create_tables
from mpi4py import MPI

import chemomech
from chemomech.errors import AlreadyEnded, InputError, StoppedEarly
from chemomech.output.provenance import read_provenance
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
CHI = "material.free_energy.chi"


def configure(**tables):
    table = {
        "mechanics": ELASTIC,
        "time": {"end": "0.02 s"},
        "output": {"count": 4, **UNDRAWN},
        "checkpoint": {"steps": 1},
    }
    return chemomech.create_config(create_tables(**table | tables))


def assert_same_ledgers(one, other):
    """Require the same to the last bit; on several ranks MUMPS sums as messages arrive."""
    assert one.keys() == other.keys()
    if COMM.size == 1:
        for name in one.keys() - {"wall_s"}:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    for name in ("step", "time_s", "c_min", "c_max", "energy_total_J_per_m", "von_mises_max_Pa"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-8, err_msg=name)


def test_steps_make_the_run_and_leave_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = chemomech.Simulation(configure(), COMM)
    assert len(whole.ledger["step"]) == 0
    assert whole.run(quiet=True) == "reached the end time 0.02 s"
    stepped = chemomech.Simulation(configure(), COMM)
    lines = []
    while (line := stepped.step()) is not None:
        assert stepped.latest == line
        assert line["time_s"] == pytest.approx(stepped.time)
        lines.append(line)
    assert stepped.ending == whole.ending
    # The ledger's first line is the initial state.
    assert [line["step"] for line in lines] == list(whole.ledger["step"][1:])
    assert_same_ledgers(whole.ledger, stepped.ledger)
    assert stepped.step() is None
    assert list(tmp_path.iterdir()) == []


def test_with_a_folder_the_ledger_is_the_same(folder):
    recorded = chemomech.Simulation(configure(), COMM, folder / "run")
    with recorded:
        recorded.step()
        assert recorded.ending is None
        assert len(recorded.ledger["step"]) == 2
        recorded.run(quiet=True)
        ledger = recorded.ledger
    free = chemomech.Simulation(configure(), COMM)
    free.run(quiet=True)
    assert_same_ledgers(ledger, free.ledger)
    with pytest.raises(AlreadyEnded, match="reached the end time"):
        chemomech.Simulation(configure(), COMM, folder / "run", restart=True)


def test_fields_are_in_SI_units_and_reach_pyvista():
    simulation = chemomech.Simulation(configure(), COMM)
    simulation.step()
    fields, line = simulation.fields(), simulation.latest
    assert {"composition", "chemical_potential", "displacement", "von_mises"} <= fields.keys()
    highest = COMM.allreduce(fields["von_mises"].x.array.max(), MPI.MAX)
    assert highest == pytest.approx(line["von_mises_max_Pa"])
    grid = simulation.create_grid()
    assert (grid is None) == (COMM.rank > 0)
    if grid is not None:
        assert grid.point_data["composition"].max() == pytest.approx(line["c_max"])
        assert grid.bounds[1] - grid.bounds[0] == pytest.approx(40.0)


def test_hooks_see_each_step_and_may_end_it(folder):
    seen = []

    def watch(simulation):
        seen.append(simulation.latest["step"])
        if simulation.latest["step"] == 3:
            simulation.end("enough seen")

    with chemomech.Simulation(configure(), COMM, folder / "run", after_step=(watch,)) as simulation:
        ended = simulation.run(quiet=True)
    assert ended == f"enough seen at {simulation.time:g} s"
    assert seen == [1, 2, 3]
    if COMM.rank == 0:
        results = chemomech.open_run(folder / "run")
        assert results.is_finished
        assert results.times[-1] == pytest.approx(simulation.time)
    COMM.barrier()


def test_a_parameter_set_on_the_way_is_noted_and_set_again_at_a_restart(folder):
    """Set, stopped and restarted, a run ends as one that was not stopped."""
    whole = chemomech.Simulation(configure(), COMM)
    for _ in range(3):
        whole.step()
    whole.parameters[CHI] = 2.2
    for _ in range(3):
        whole.step()
    with chemomech.Simulation(configure(), COMM, folder / "run") as first:
        for _ in range(3):
            first.step()
        first.parameters[CHI] = 2.2
        time = first.time
        for _ in range(2):
            first.step()
    if COMM.rank == 0:
        record = read_provenance(folder / "run" / "provenance.json")
        assert record["changes"] == [{"time_s": time, "parameter": CHI, "value": 2.2}]
    with chemomech.Simulation(configure(), COMM, folder / "run", restart=True) as second:
        assert second.parameters[CHI] == 2.2
        while second.latest.get("step", 0) < 6:
            second.step()
        assert_same_ledgers(second.ledger, whole.ledger)


def test_snapshots_written_again_have_the_stress_of_their_time(folder):
    """A modulus set on the way holds from then on, also where a restart writes all fields anew."""

    def soften(simulation):
        if simulation.latest["step"] == 3:
            simulation.parameters["mechanics.elasticity.young_modulus"] = 20e9

    config = configure(output={"count": 5, **UNDRAWN})
    with chemomech.Simulation(config, COMM, folder / "whole", after_step=[soften]) as whole:
        whole.run(quiet=True)
    with chemomech.Simulation(config, COMM, folder / "parts", after_step=[soften]) as first:
        while first.latest.get("step", 0) < 6:
            first.step()
    with chemomech.Simulation(config, COMM, folder / "parts", restart=True) as second:
        second.run(quiet=True)
    if COMM.rank == 0:
        one, other = (chemomech.open_run(folder / name) for name in ("whole", "parts"))
        np.testing.assert_array_equal(one.times, other.times)
        for time in one.times:
            expected = one.read("von_mises", time)
            found = other.read("von_mises", time)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * expected.max())
    COMM.barrier()


def test_a_parameter_set_just_before_a_run_dies_is_noted_once(folder, monkeypatch):
    with chemomech.Simulation(configure(), COMM, folder / "run") as first:
        first.step()
        first.step()
        first.parameters[CHI] = 2.2
        with monkeypatch.context() as patch:
            patch.setattr(Bdf, "advance", interrupt)
            with pytest.raises(KeyboardInterrupt):
                first.step()
    with chemomech.Simulation(configure(), COMM, folder / "run", restart=True) as second:
        assert second.parameters[CHI] == 2.2
        second.step()
        assert list(second.ledger["step"]) == [0, 1, 2, 3]
    if COMM.rank == 0:
        (change,) = read_provenance(folder / "run" / "provenance.json")["changes"]
        assert change["value"] == 2.2
    COMM.barrier()


def test_no_step_is_taken_after_a_failure_or_when_closed(folder, monkeypatch):
    with chemomech.Simulation(configure(), COMM, folder / "run") as failed:
        failed.step()
        with monkeypatch.context() as patch:
            patch.setattr(Bdf, "advance", interrupt)
            with pytest.raises(KeyboardInterrupt):
                failed.step()
        with pytest.raises(InputError, match="has failed or is closed"):
            failed.step()
    failed.close()
    with pytest.raises(InputError, match="has failed or is closed"):
        failed.run(quiet=True)
    with chemomech.Simulation(configure(), COMM, folder / "run", restart=True) as again:
        again.step()
        assert list(again.ledger["step"]) == [0, 1, 2]


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_failed_start_releases_the_folder(folder):
    def refuse(config, particle):
        raise InputError("not this time")

    with pytest.raises(InputError, match="not this time"):
        chemomech.Simulation(configure(), COMM, folder / "run", create=refuse)
    with chemomech.Simulation(configure(), COMM, folder / "run") as simulation:
        simulation.step()


def test_it_stops_at_the_limit_of_wall_time_without_a_folder_too():
    config = configure(checkpoint={"wall_limit": "1e-9 s"})
    with pytest.raises(StoppedEarly, match="without a checkpoint"):
        chemomech.Simulation(config, COMM).run(quiet=True)


def test_a_restart_needs_a_folder():
    with pytest.raises(InputError, match="needs the folder of a run"):
        chemomech.Simulation(configure(), COMM, restart=True)
