"""One rank and two, and what counts made there say of many.

    ./with-fenicsx python benchmarks/scaling.py [--short] [--write]

A Newton step of 3-D wires, a few time steps from noise (`stepping_run.py`): strong scaling at
200 000 unknowns, weak at 100 000 a rank. `scaling_model.py` takes the messages, bytes and
reductions that PETSc has counted to a thousand ranks. `--write` renews SCALING.md.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from cases import LENGTHS, scale_to
from measuring import Column, Options, Outcome, Side, measure, parse_options, report
from rich.console import Console
from rich.table import Table
from scaling_model import Counts, Network, estimate
from scaling_text import write_page

WORKER = str(Path(__file__).parent / "stepping_run.py")
PAGE = Path(__file__).parent / "SCALING.md"
#: Edge of the demo's cells in nm.
CELL = 2.5
COLUMNS = [
    Column("unknowns", "unknowns", ".0f"),
    Column("Krylov", "krylov", ".2f"),
    Column("Newton s", "newton_s", ".3f"),
    Column("residual s", "residual_s", ".3f"),
    Column("Jacobian s", "jacobian_s", ".3f"),
    Column("set-up s", "setup_s", ".3f"),
    Column("Krylov s", "krylov_s", ".3f"),
    Column("of it (c, mu)", "chemistry_s", ".3f"),
    Column("u", "mechanics_s", ".3f"),
    Column("messages", "messages", ".0f"),
    Column("bytes each", "message_bytes", ".0f"),
    Column("reductions", "reductions", ".0f"),
    Column("bytes an unknown", "bytes_an_unknown", ".0f"),
]
#: Unknowns and ranks to extrapolate to.
STRONG = [(1e7, ranks) for ranks in (1, 10, 100, 1000)]
WEAK = [(1e6 * ranks, ranks) for ranks in (1, 10, 100, 1000)]
LARGE = [(1e9, ranks) for ranks in (250, 1000, 4000)]


def main() -> None:
    """Measure, extrapolate, and write the page if asked."""
    write = "--write" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--write"]
    options = parse_options(__doc__ or "", "scaling")
    half = 10_000 if options.short else 100_000
    sides = [
        create_side("half, 1 rank", half, 1),
        create_side("whole, 1 rank", 2 * half, 1),
        create_side("whole, 2 ranks", 2 * half, 2),
    ]
    outcomes = measure(sides, options.rounds or (1 if options.short else 2))
    report("a Newton step, on one rank and two", outcomes, COLUMNS, options.output)
    small, one, two = outcomes
    strong, weak = _ratio(one, two), _ratio(small, two)
    print(f"strong: two ranks {strong:.2f} times as fast; weak: {weak:.2f} of one rank's speed")
    counts = count(one, two, 2 * half)
    rows = extrapolate(counts, options)
    if write:
        write_page(PAGE, outcomes, counts, Network(), rows)


def create_side(name: str, unknowns: int, ranks: int) -> Side:
    """A wire on some ranks."""
    words = [sys.executable, WORKER, "--unknowns", str(unknowns), "--steps", "6"]
    start = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    return Side(name, [*start, *words])


def count(one: Outcome, two: Outcome, nominal: int) -> Counts:
    """Counts of a run on two ranks, which share one section of the wire, and the speed of one."""
    scale = scale_to(nominal, 3)
    width, _, _, thickness = LENGTHS[3]
    assert thickness is not None
    section = (scale * width / CELL + 1) * (scale * thickness / CELL + 1)
    figure = {name: two.get(name) or 0.0 for name in two.runs[0]}
    return Counts(
        unknowns=figure["unknowns"],
        section=section,
        seconds_an_unknown=(one.get("newton_s") or 0.0) / figure["unknowns"],
        krylov=figure["krylov"],
        exchanges=figure["messages"],
        sent=figure["messages"] * figure["message_bytes"],
        reductions=figure["reductions"],
    )


def extrapolate(counts: Counts, options: Options) -> dict[str, list[dict[str, float]]]:
    """Print the model's tables, and add them and its constants to the JSON file."""
    network = Network()
    tables = {"strong, 10^7 unknowns": STRONG, "weak, 10^6 a rank": WEAK, "10^9 unknowns": LARGE}
    rows: dict[str, list[dict[str, float]]] = {}
    for name, points in tables.items():
        table = Table("unknowns", "ranks", "Newton s", "efficiency", title=f"model: {name}")
        rows[name] = []
        for unknowns, ranks in points:
            found = estimate(counts, network, unknowns, ranks)
            rows[name].append(
                {
                    "unknowns": unknowns,
                    "ranks": ranks,
                    **asdict(found),
                    "total": found.total,
                    "efficiency": found.efficiency,
                }
            )
            table.add_row(
                f"{unknowns:.0e}", f"{ranks}", f"{found.total:.3f}", f"{found.efficiency:.2f}"
            )
        Console().print(table)
    record = json.loads(options.output.read_text(encoding="utf-8"))
    record["model"] = {"counts": asdict(counts), "network": asdict(network), "rows": rows}
    options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return rows


def _ratio(first: Outcome, second: Outcome) -> float:
    return (first.get("newton_s") or 0.0) / (second.get("newton_s") or 1.0)


if __name__ == "__main__":
    main()
