"""Time and memory of a Newton step in 3-D, from 50 000 unknowns to two million.

    ./with-fenicsx python benchmarks/growth_3d.py [--short] [--largest] [--sides NAME ...]

Each size is a wire of the demo's shape and mesh, a few steps from noise, in a process of its own
(`stepping_run.py`); memory is what it takes above the process as it was before the mesh. Sides are
50k, 200k, 1M, 2M (also by --largest), each also as "50k, 2 ranks", and "50k, direct": MUMPS.
"""

from __future__ import annotations

import sys
from pathlib import Path

from measuring import Column, Side, measure, parse_options, report

WORKER = str(Path(__file__).parent / "stepping_run.py")
SIZES = {"50k": 50_000, "200k": 200_000, "1M": 1_000_000, "2M": 2_000_000}
USUAL = ("50k, direct", "50k", "200k", "1M")
TIMES = [
    Column("unknowns", "unknowns", ".0f"),
    Column("time step s", "step_s", ".2f"),
    Column("Newton a step", "newton", ".1f"),
    Column("Krylov", "krylov", ".1f"),
    Column("Newton s", "newton_s", ".2f"),
    Column("residual s", "residual_s", ".3f"),
    Column("Jacobian s", "jacobian_s", ".3f"),
    Column("set-up s", "setup_s", ".3f"),
    Column("Krylov s", "krylov_s", ".2f"),
    Column("of it (c, mu)", "chemistry_s", ".2f"),
    Column("u", "mechanics_s", ".2f"),
    Column("product s", "product_s", ".4f"),
]
UNITS = [
    Column("Newton / residual", "newton_in_residuals", ".1f"),
    Column("Newton / product", "newton_in_products", ".0f"),
    Column("Jacobian / product", "jacobian_in_products", ".1f"),
    Column("products", "products", ".0f"),
    Column("triad GB/s", "triad_gb_s", ".1f"),
    Column("product's share", "share_of_bandwidth", ".2f"),
    Column("entries an unknown", "entries_an_unknown", ".0f"),
    Column("memory MB", "memory_mb", ".0f"),
    Column("bytes an unknown", "bytes_an_unknown", ".0f"),
    Column("ready after s", "prepare_s", ".1f"),
]


def create_side(name: str, steps: int) -> Side:
    """A side by its name: a size, and how many ranks or that it is solved directly."""
    size, _, rest = name.partition(", ")
    words = [sys.executable, WORKER, "--unknowns", str(SIZES[size]), "--steps", str(steps)]
    if rest == "direct":
        words += ["--preset", "direct"]
    start = ["mpirun", "-n", rest.split()[0]] if "rank" in rest else []
    return Side(name, [*start, *words])


def main() -> None:
    """Measure all sizes and print both tables."""
    largest = "--largest" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--largest"]
    options = parse_options(__doc__ or "", "growth_3d")
    names = options.sides or (("50k",) if options.short else USUAL)
    names = (*names, "2M") if largest else names
    sides = [create_side(name, 2 if options.short else 4) for name in names]
    outcomes = measure(sides, options.rounds or 1)
    report("seconds of a Newton step", outcomes, TIMES, options.output)
    report("in other units, and memory", outcomes, UNITS, options.output)


if __name__ == "__main__":
    main()
