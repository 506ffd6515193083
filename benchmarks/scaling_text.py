"""SCALING.md, from what `scaling.py` has counted and estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from machine import describe_machine
from measuring import Outcome
from scaling_model import Counts, Network

Rows = Mapping[str, Sequence[Mapping[str, float]]]

LIMITS = """\
## What would break first

In the order in which it would be met; none of it was tried.

1. **The mesh.** gmsh makes it on rank 0, in the memory and the time of one process, before it is
   divided; so are the tangents of the wire and the owners of cells in a checkpoint.
2. **The noise.** Every rank holds the whole lattice from which the initial noise is interpolated.
   Its box around the particle may have 2e7 points: with a point for each cell, less than 1e8
   unknowns.
3. **Counting domains.** Rank 0 gathers the composition after each step to count connected regions.
4. **Memory.** All blocks are stored; see the bytes an unknown above. No block is applied without
   its matrix.
5. **Integers.** Debian's PETSc counts with 32 bits: 2.1e9 unknowns in all and as many entries a
   rank. It must be built with 64-bit integers beyond that.
6. **Coarse levels.** Below some hundred unknowns a rank, messages are all that is left. GAMG
   gathers its coarse levels on fewer ranks; hypre does not by default.
7. **Dense rows.** The one strain of generalised plane strain (2-D) and the potential of a reservoir
   couple to unknowns of all ranks; rank 0 owns them and hears from everyone in each product.
8. **Output.** Pictures and films are drawn on rank 0 from gathered fields.
"""


def write_page(
    page: Path, outcomes: Sequence[Outcome], counts: Counts, network: Network, rows: Rows
) -> None:
    """Write the page.

    Args:
        page: The file.
        outcomes: Half the unknowns on one rank, all of them on one and on two.
        counts: What was counted on two ranks.
        network: What is assumed.
        rows: Estimates by title.
    """
    parts = [_write_measured(outcomes), _write_counts(counts), _write_model(network, rows), LIMITS]
    page.write_text("\n".join(parts), encoding="utf-8")


def _write_measured(outcomes: Sequence[Outcome]) -> str:
    machine = describe_machine()
    small, one, two = outcomes
    strong, weak = (_get(side, "newton_s") / _get(two, "newton_s") for side in (one, small))
    lines = [
        "# Scaling",
        "",
        "Two ranks were measured; all beyond is a model, and has never been run. Written by",
        "`scaling.py --write`.",
        "",
        f"Machine: {machine.processor}, {machine.cores} cores; load {machine.load_before:.1f}",
        f"before and {machine.load_after:.1f} after; {machine.date}, commit {machine.commit}.",
        "",
        "## Measured: a Newton step in 3-D",
        "",
        "| unknowns | ranks | Krylov | seconds | residual | Jacobian | set-up | Krylov s |"
        " bytes an unknown |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for outcome, ranks in zip(outcomes, (1, 1, 2), strict=True):
        names = ("newton_s", "residual_s", "jacobian_s", "setup_s", "krylov_s")
        seconds = " | ".join(f"{_get(outcome, name):.3f}" for name in names)
        lines.append(
            f"| {_get(outcome, 'unknowns'):.0f} | {ranks} | {_get(outcome, 'krylov'):.1f} |"
            f" {seconds} | {_get(outcome, 'bytes_an_unknown'):.0f} |"
        )
    lines += [
        "",
        f"Two ranks are {strong:.2f} times as fast as one (strong), and take a system twice as",
        f"large at {weak:.2f} of the speed of one (weak).",
        "",
    ]
    return "\n".join(lines)


def _write_counts(counts: Counts) -> str:
    return f"""\
## Counted by PETSc on two ranks, a Newton step and a rank

{counts.exchanges:.0f} messages to the one neighbour, {counts.sent / 1e6:.2f} MB, over a cut of
{counts.section:.0f} nodes; {counts.reductions:.0f} global reductions; {counts.krylov:.1f} Krylov
iterations; {counts.seconds_an_unknown * 1e6:.2f} microseconds an unknown on one rank alone. What
hypre and DOLFINx send is not in PETSc's log.
"""


def _write_model(network: Network, rows: Rows) -> str:
    lines = [
        "## Model",
        "",
        "Seconds = work an unknown x unknowns a rank + messages x neighbours x latency + bytes /"
        " bandwidth",
        "+ reductions x log2(ranks) x their latency. Assumed, not measured:",
        "",
        f"- latency {network.latency_s * 1e6:.0f} microseconds a message,"
        f" {network.bandwidth / 1e9:.1f} GB/s a rank,"
        f" {network.reduction_s * 1e6:.0f} microseconds a doubling of ranks for a reduction;",
        f"- parts like cubes with {network.neighbours} neighbours; the bytes of a node at a cut are"
        " those counted;",
        f"- messages grow with the levels of multigrid, each {network.coarsening:.0f} times smaller"
        " than the one before;",
        f"- hypre sends {network.cycle_exchanges} times a level and cycle, {network.cycles} cycles"
        " a Krylov iteration;",
        "- Krylov iterations stay as counted, parts are equal, and each rank computes as fast as",
        "  one did here alone: where more ranks share a node's memory than it can feed, all but",
        "  the latencies grow;",
        "- nothing but Newton steps: no mesh, no output.",
        "",
        "| case | unknowns | ranks | seconds | computing | latency | bytes | reductions |"
        " efficiency |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in rows.items():
        for row in found:
            parts = ("total", "work", "messages", "volume", "reductions")
            seconds = " | ".join(f"{row[part]:.3g}" for part in parts)
            lines.append(
                f"| {name} | {row['unknowns']:.0e} | {row['ranks']:.0f} | {seconds} |"
                f" {row['efficiency']:.2f} |"
            )
    return "\n".join([*lines, ""])


def _get(outcome: Outcome, figure: str) -> float:
    return outcome.get(figure) or 0.0
