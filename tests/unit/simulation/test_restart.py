"""Runs that are stopped and gone on with end as if nothing had happened."""

import json
import os
import re
import signal

import dolfinx
import numpy as np
import pytest
from box import BOX, ELASTIC, create_tables
from mpi4py import MPI

import chemomech
from chemomech.cli import main
from chemomech.config import create_config, format_config
from chemomech.errors import InputError, InterruptedRunError, StoppedEarly
from chemomech.geometry.files.fields import list_fields, read_field
from chemomech.output.ledger import read_ledger
from chemomech.simulation import illustrating, keeping
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
CLOSED = create_tables(mechanics=ELASTIC)
DRIVEN = CLOSED | {
    "mechanics": ELASTIC | {"assumption": "generalised_plane_strain"},
    "initial": {"kind": "noise", "mean": 0.1, "amplitude": 0.002},
    "reaction": [{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-8 m/s"}],
    "schedule": {
        "cycles": 2,
        "step": [
            {"kind": "galvanostatic", "direction": "lithiate", "c_rate": 20.0}
            | {"until": {"lithium_mean": 0.12}},
            {"kind": "rest", "duration": "0.1 s"},
            {"kind": "potentiostatic", "mu_res": "-2 kJ/mol", "until": {"lithium_mean": 0.1}},
        ],
    },
    "time": {"end": "100 s"},
}
NOISY = CLOSED | {
    "geometry": BOX | {"periodic": ["x"]},
    "noise": {"interval": "20 ms", "depth": "50 nm", "seed": 7},
    "mechanics": None,
    "solver": {"preset": "iterative"},
}
QUIET = CLOSED | {
    "mechanics": None,
    "initial": {"kind": "noise", "mean": 0.5, "amplitude": 1e-7, "seed": 1},
}
CASES = {"closed": CLOSED, "driven": DRIVEN, "noisy": NOISY, "quiet": QUIET}


def configure(case, **tables):
    table = CASES[case] | tables
    return create_config({key: value for key, value in table.items() if value})


@pytest.fixture
def stop_after(monkeypatch):
    """Return a function that lets a signal arrive in the middle of chosen steps of this process."""
    advance = Bdf.advance

    def arrange(*numbers, signals=(signal.SIGUSR1,)):
        left = list(numbers)

        def hear(self, target, events=()):
            step = advance(self, target, events)
            if left and step.number >= left[0]:
                left.pop(0)
                # On one rank only: the others must hear of it.
                for number in signals if COMM.rank == COMM.size - 1 else ():
                    os.kill(os.getpid(), number)
            return step

        monkeypatch.setattr(Bdf, "advance", hear)

    return arrange


def go_on(config, folder, attempts=20):
    """Restart until the run has ended; return how often it was stopped."""
    for stops in range(attempts):
        try:
            chemomech.simulate(config, folder, COMM, quiet=True, restart=True)
        except StoppedEarly:
            COMM.barrier()
        else:
            return stops
    raise AssertionError("never ended")


def assert_same(one, two, tolerance=0.0):
    """All columns but the wall time agree, relative to their largest value.

    The balance is an error of the composition, whose scale is one.
    """
    assert one.keys() == two.keys()
    for name in sorted(one.keys() - {"wall_s"}):
        scale = 1.0 if name == "lithium_balance_error" else np.nanmax(np.abs(one[name]), initial=0)
        atol = tolerance * max(scale, 1e-300)
        np.testing.assert_allclose(two[name], one[name], rtol=0.0, atol=atol, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_a_stopped_run_ends_like_an_undisturbed_one(folder, stop_after, case):
    config = configure(case)
    chemomech.simulate(config, folder / "whole", COMM, quiet=True)
    whole = read_ledger(folder / "whole" / "ledger.csv")
    last = int(whole["step"][-1])
    # While the history grows, on the way, and just before the end.
    first = {1, 2, 3} if case == "closed" else {2}
    numbers = sorted(first | {last // 2, last - 1})
    stop_after(*numbers)
    assert go_on(config, folder / "parts") == len(numbers)
    parts = read_ledger(folder / "parts" / "ledger.csv")
    assert len(parts["step"]) == len(whole["step"])
    # On several ranks MUMPS and the assembly of the one unknown that all ranks share sum in the
    # order in which messages arrive: two undisturbed runs differ as well. Step sizes follow error
    # estimates of 1e-3 to 1e-4, which turns round-off of 1e-12 in the composition into 1e-8.
    loose = COMM.size > 1 and config.solver.preset != "iterative"
    assert_same(whole, parts, 1e-8 if loose else 1e-12)
    names = {path.name for path in (folder / "parts").iterdir()}
    assert names == {path.name for path in (folder / "whole").iterdir()}
    record = json.loads((folder / "parts" / "provenance.json").read_text())
    assert len(record["restarts"]) == len(numbers)
    assert [entry["before"][:7] for entry in record["restarts"]] == ["stopped"] * len(numbers)


def test_field_file_has_each_snapshot_once(folder, stop_after):
    config = configure("closed")
    chemomech.simulate(config, folder / "whole", COMM, quiet=True)
    stop_after(2, 7, 12)
    go_on(config, folder / "parts")
    COMM.barrier()
    if COMM.rank == 0:
        files = [folder / name / "fields.vtkhdf" for name in ("whole", "parts")]
        (names, times), (same, again) = (list_fields(file) for file in files)
        assert len(times) == 5
        np.testing.assert_array_equal(again, times)
        assert same == names
        for time in times:
            whole, parts = (read_field(file, "composition", time) for file in files)
            scale = 1.0 if COMM.size == 1 else 1e3  # MUMPS, as above
            np.testing.assert_allclose(parts.values, whole.values, atol=1e-12 * scale)


def test_finished_run_is_left_alone(folder, caplog):
    config = configure("closed")
    ended = chemomech.simulate(config, folder / "results", COMM, quiet=True)
    COMM.barrier()
    before = {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")}
    COMM.barrier()
    caplog.set_level("INFO")
    assert chemomech.simulate(config, folder / "results", COMM, quiet=True, restart=True) == ended
    if COMM.rank == 0:
        assert "there is nothing to continue" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")} == before


def test_restart_begins_where_there_is_nothing_yet(folder):
    config = configure("closed", time={"end": "0.01 s"})
    ended = chemomech.simulate(config, folder / "results", COMM, quiet=True, restart=True)
    assert ended == "reached the end time 0.01 s"


def stop_early(config, folder, stop_after):
    stop_after(5)
    with pytest.raises(StoppedEarly):
        chemomech.simulate(config, folder, COMM, quiet=True)
    COMM.barrier()


def test_changed_configuration_is_refused_by_its_keys(folder, stop_after):
    stop_early(configure("closed"), folder / "results", stop_after)
    changed = configure("closed", time={"end": "0.6 s", "tolerance": 2e-3})
    with pytest.raises(InputError) as caught:
        chemomech.simulate(changed, folder / "results", COMM, quiet=True, restart=True)
    message = str(caught.value)
    assert 'time.end: "0.5 s" -> "0.6 s"' in message
    assert "time.tolerance: 0.001 -> 0.002" in message
    assert "initial" not in message
    ended = chemomech.simulate(
        changed, folder / "results", COMM, quiet=True, restart=True, accept_changes=True
    )
    assert ended == "reached the end time 0.6 s"


def test_fields_of_a_stopped_run_are_read_and_go_on_in_another_format(folder, stop_after):
    if not dolfinx.has_adios2:
        pytest.skip("DOLFINx without ADIOS2")
    results = folder / "results"
    stop_early(configure("closed", time={"end": "0.02 s"}), results, stop_after)
    if COMM.rank == 0:
        stopped = list_fields(results / "fields.partial.vtkhdf")
        assert stopped[1][0] == 0.0
        assert (read_field(results / "fields.partial.vtkhdf", "composition", 0.0).values > 0).all()
    COMM.barrier()
    output = CLOSED["output"] | {"field_format": "bp"}
    changed = configure("closed", time={"end": "0.02 s"}, output=output)
    chemomech.simulate(changed, results, COMM, quiet=True, restart=True, accept_changes=True)
    COMM.barrier()
    assert [path.name for path in results.glob("fields*")] == ["fields.bp"]
    if COMM.rank == 0:
        names, times = list_fields(results / "fields.bp")
        assert set(names) == set(stopped[0])
        np.testing.assert_array_equal(times[: len(stopped[1])], stopped[1])
        assert times[-1] == 0.02


def test_what_concerns_checkpoints_may_change(folder, stop_after):
    stop_early(configure("closed"), folder / "results", stop_after)
    changed = configure("closed", checkpoint={"interval": "1 h", "wall_limit": "10 h"})
    ended = chemomech.simulate(changed, folder / "results", COMM, quiet=True, restart=True)
    assert ended == "reached the end time 0.5 s"


@pytest.mark.parametrize(
    ("tables", "piece"),
    [
        ({"mesh": {"size": "2 nm"}}, "of another mesh"),
        ({"geometry": BOX | {"size": ["41 nm", "20 nm"]}}, "of another mesh"),
        ({"mechanics": None}, "the checkpoint holds c, mu, u"),
    ],
)
def test_another_mesh_is_refused_whatever_is_accepted(folder, stop_after, tables, piece):
    stop_early(configure("closed"), folder / "results", stop_after)
    before = (folder / "results" / "ledger.partial.csv").read_bytes()
    with pytest.raises(InputError, match=piece):
        chemomech.simulate(
            configure("closed", **tables),
            folder / "results",
            COMM,
            quiet=True,
            restart=True,
            accept_changes=True,
        )
    COMM.barrier()
    assert (folder / "results" / "ledger.partial.csv").read_bytes() == before


def test_checkpoint_of_another_version_is_refused(folder, stop_after, monkeypatch):
    stop_early(configure("noisy"), folder / "results", stop_after)
    monkeypatch.setattr(keeping, "FORMAT", keeping.FORMAT + 1)
    with pytest.raises(InputError, match="another version of chemomech"):
        chemomech.simulate(configure("noisy"), folder / "results", COMM, quiet=True, restart=True)


def test_folder_of_something_else_is_refused(folder):
    if COMM.rank == 0:
        (folder / "precious.txt").touch()
    COMM.barrier()
    with pytest.raises(InputError, match="no run of chemomech"):
        chemomech.simulate(configure("closed"), folder, COMM, restart=True)
    COMM.barrier()
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_ledger_that_was_tampered_with_is_refused(folder, stop_after):
    stop_early(configure("closed"), folder / "results", stop_after)
    path = folder / "results" / "ledger.partial.csv"
    if COMM.rank == 0:
        path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n")
    COMM.barrier()
    with pytest.raises(InputError, match="lines its checkpoint knows of"):
        chemomech.simulate(configure("closed"), folder / "results", COMM, quiet=True, restart=True)


def test_command_stops_with_code_4_and_goes_on(folder, stop_after, capfd):
    config = configure("closed")
    path = folder / "input.toml"
    if COMM.rank == 0:
        path.write_text(format_config(config))
    COMM.barrier()
    stop_after(4)
    words = ["run", str(path), "--output", str(folder / "results")]
    assert main(words) == 4
    output = capfd.readouterr()
    if COMM.rank == 0:
        assert "stopped by SIGUSR1" in output.out
        assert "error" not in output.err
    assert main([*words, "--restart"]) == 0
    assert main([*words, "--restart"]) == 0
    if COMM.rank == 0:
        assert "there is nothing to continue" in capfd.readouterr().err


def test_ctrl_c_saves_the_state_says_how_to_go_on_and_ends_with_code_130(folder, stop_after, capfd):
    config = configure("closed", time={"end": "0.1 s"})
    path = folder / "input.toml"
    if COMM.rank == 0:
        path.write_text(format_config(config))
    COMM.barrier()
    stop_after(4, signals=(signal.SIGINT,))
    words = ["run", str(path), "--output", str(folder / "results"), "--quiet"]
    assert main(words) == 130
    said = COMM.bcast(capfd.readouterr().err)
    assert re.search(r"^chemomech: interrupted at [0-9.e-]+ s; --restart continues it$", said, re.M)
    assert (folder / "results/restart/checkpoints/00000004").is_dir()
    assert main(words) == 2
    assert "run --restart" in COMM.bcast(capfd.readouterr().err)
    assert main([*words, "--restart"]) == 0
    assert "continuing from step 4" in COMM.bcast(capfd.readouterr().err)


@pytest.mark.skipif(COMM.size > 1, reason="mpirun ends its ranks itself")
def test_a_second_ctrl_c_stops_at_once(folder, stop_after):
    stop_after(2, signals=(signal.SIGINT, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        chemomech.simulate(configure("closed"), folder / "results", COMM, quiet=True)
    ending = json.loads((folder / "results" / "provenance.json").read_text())["ended"]
    assert ending == "interrupted"
    assert go_on(configure("closed", time={"end": "0.5 s"}), folder / "results") == 0


@pytest.mark.skipif(COMM.size > 1, reason="mpirun ends its ranks itself")
def test_interrupted_while_pictures_are_drawn_only_they_are_made_again(folder, monkeypatch):
    config = configure(
        "closed", time={"end": "0.05 s"}, output={"count": 2, "pictures": False, "movie": True}
    )
    drawn = []

    def press_ctrl_c(*arguments, **options):
        raise KeyboardInterrupt

    def draw(folder, grid, fields, frames, **options):
        drawn.extend(frame.time_s for frame in frames)

    monkeypatch.setattr(illustrating, "write_illustrations", press_ctrl_c)
    with pytest.raises(InterruptedRunError, match="--restart draws them"):
        chemomech.simulate(config, folder / "results", COMM, quiet=True)
    before = (folder / "results" / "ledger.csv").read_bytes()
    monkeypatch.setattr(Bdf, "advance", press_ctrl_c)
    monkeypatch.setattr(illustrating, "write_illustrations", draw)
    ended = chemomech.simulate(config, folder / "results", COMM, quiet=True, restart=True)
    assert ended == "reached the end time 0.05 s"
    assert (folder / "results" / "ledger.csv").read_bytes() == before
    assert drawn == pytest.approx([0.0, 0.025, 0.05])
    names = sorted(path.name for path in (folder / "results").iterdir())
    assert names == ["config.toml", "fields.vtkhdf", "ledger.csv", "provenance.json"]


def test_limit_of_wall_time(folder):
    config = configure("closed", checkpoint={"wall_limit": "1 us"})
    with pytest.raises(StoppedEarly, match="limit of wall time"):
        chemomech.simulate(config, folder / "results", COMM, quiet=True)
    go = configure("closed")
    assert chemomech.simulate(go, folder / "results", COMM, quiet=True, restart=True)


def test_without_checkpoints_nothing_is_kept(folder, stop_after):
    config = configure("closed", checkpoint={"interval": "off"})
    stop_after(5)
    with pytest.raises(StoppedEarly, match="without a checkpoint"):
        chemomech.simulate(config, folder / "results", COMM, quiet=True)
    assert not (folder / "results" / "restart").exists()
    with pytest.raises(InputError, match="no good checkpoint"):
        chemomech.simulate(config, folder / "results", COMM, quiet=True, restart=True)


def test_number_of_checkpoints(folder, stop_after):
    config = configure("closed", checkpoint={"steps": 2, "keep": 3})
    stop_after(11)
    with pytest.raises(StoppedEarly):
        chemomech.simulate(config, folder / "results", COMM, quiet=True)
    COMM.barrier()
    names = sorted(path.name for path in (folder / "results/restart/checkpoints").iterdir())
    assert names == ["00000008", "00000010", "00000011"]
