import io

import pytest
from mpi4py import MPI
from rich.console import Console

from chemomech.output.progress import Progress


class Flushed(io.StringIO):
    """Text as a log file would hold it: what has not been flushed is not there."""

    def __init__(self):
        super().__init__()
        self.seen = ""

    def flush(self):
        super().flush()
        self.seen = self.getvalue()


def report(stream, *, terminal=False, quiet=False, interval=1000.0, comm=MPI.COMM_SELF):
    console = Console(
        file=stream, force_terminal=terminal, width=120, soft_wrap=True, highlight=False
    )
    progress = Progress(10.0, comm, quiet, interval=interval, console=console, energy_unit="J/m")
    progress.update(0.0, 0, 0.1, -1.0, 0)
    progress.update(2.5, 1, 2.5, -2.0, 1)
    progress.update(5.0, 2, 2.5, -3.0, 7, snapshot=True)
    progress.finish("stationary at 5 s")


def test_log_gets_few_plain_lines():
    stream = Flushed()
    report(stream)
    lines = stream.seen.splitlines()
    assert len(lines) == 3
    assert lines[0].split()[0] == "0%"
    assert "ETA --" in lines[0]
    assert lines[1].split()[0] == "50%"
    assert "step 2  t = 5 s  E = -3 J/m  7 domains  ETA 0:00:00  dt = 2.5 s" in lines[1]
    assert lines[2] == "stationary at 5 s"
    assert "\x1b" not in stream.seen
    assert "\r" not in stream.seen


def test_interval_sets_how_often_lines_come():
    stream = Flushed()
    report(stream, interval=0.0)
    assert len(stream.seen.splitlines()) == 4
    assert "1 domain  " in stream.seen


def test_terminal_gets_one_live_line():
    stream = Flushed()
    report(stream, terminal=True)
    assert "\x1b[" in stream.seen
    assert "7 domains" in stream.seen
    assert stream.seen.rstrip().endswith("stationary at 5 s")


def test_live_line_fits_eighty_columns():
    stream = Flushed()
    console = Console(file=stream, force_terminal=True, width=80, highlight=False)
    with Progress(1e4, MPI.COMM_SELF, console=console, energy_unit="J/m") as progress:
        progress.update(1.0, 1, 1.0, -3.59901e-8, 9)
        progress.update(1234.5, 12345, 0.012345, -3.59901e-8, 124)
    assert "124 domains  ETA 0:00:0" in stream.seen
    assert "…" not in stream.seen


def test_an_exception_leaves_the_cursor_visible():
    stream = Flushed()
    console = Console(file=stream, force_terminal=True, width=80)
    with pytest.raises(KeyboardInterrupt), Progress(1.0, MPI.COMM_SELF, console=console):
        raise KeyboardInterrupt
    hidden, shown = stream.seen.rfind("\x1b[?25l"), stream.seen.rfind("\x1b[?25h")
    assert 0 <= hidden < shown


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet_prints_nothing(terminal):
    stream = Flushed()
    report(stream, terminal=terminal, quiet=True)
    assert stream.getvalue() == ""


def test_only_the_first_rank_prints(comm):
    stream = Flushed()
    report(stream, comm=comm)
    assert bool(stream.getvalue()) == (comm.rank == 0)
