"""Seconds of a Newton step on many ranks, from counts made on one and two."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Unknowns a node: c, mu, and three displacements.
FIELDS = 5


@dataclass(frozen=True)
class Network:
    """What is assumed of a machine and of how a mesh is divided; nothing of it was measured here.

    Args:
        latency_s: Of a message between two nodes, with what software adds.
        bandwidth: Bytes a second of one rank, where all ranks of a node send.
        reduction_s: Of a global reduction, for each doubling of the ranks.
        neighbours: Of a part of an unstructured division in space.
        coarsening: Nodes of a multigrid level over those of the next.
        cycle_exchanges: Exchanges with all neighbours a level and cycle of hypre's multigrid, which
            does not tell PETSc's log: two sweeps, a residual, a restriction and an interpolation.
        cycles: Of hypre's multigrid a Krylov iteration.
    """

    latency_s: float = 3e-6
    bandwidth: float = 5e8
    reduction_s: float = 4e-6
    neighbours: int = 14
    coarsening: float = 8.0
    cycle_exchanges: int = 5
    cycles: int = 2


@dataclass(frozen=True)
class Counts:
    """What was counted on two ranks, a Newton step and a rank; the seconds are of one alone.

    Args:
        unknowns: Of the wire.
        section: Nodes of the cut between the two ranks.
        seconds_an_unknown: Of a Newton step on one rank.
        krylov: Krylov iterations.
        exchanges: Messages to the one neighbour.
        sent: Bytes sent.
        reductions: Global reductions.
    """

    unknowns: float
    section: float
    seconds_an_unknown: float
    krylov: float
    exchanges: float
    sent: float
    reductions: float


@dataclass(frozen=True)
class Estimate:
    """Seconds of a Newton step by what they go into.

    Args:
        work, messages, volume, reductions: Computing, latency, bytes, reductions.
    """

    work: float
    messages: float
    volume: float
    reductions: float

    @property
    def total(self) -> float:
        """Seconds in all."""
        return self.work + self.messages + self.volume + self.reductions

    @property
    def efficiency(self) -> float:
        """Share of the seconds that is computing."""
        return self.work / self.total


def estimate(counts: Counts, network: Network, unknowns: float, ranks: int) -> Estimate:
    r"""T = w N / P + X nu l + b 6 (N / 5 P)^(2/3) / B + R log2(P) r.

    X, the exchanges, grows with the levels of multigrid; the bytes of a node at the cut, b, are
    those counted; the Krylov iterations are taken as constant.

    Args:
        counts: What was counted.
        network: What is assumed.
        unknowns: N.
        ranks: P.
    """
    work = counts.seconds_an_unknown * unknowns / ranks
    if ranks == 1:
        return Estimate(work, 0.0, 0.0, 0.0)
    now, then = (_count_levels(n, network) for n in (unknowns, counts.unknowns))
    hidden = counts.krylov * network.cycles * network.cycle_exchanges * now
    exchanges = counts.exchanges * now / then + hidden
    surface = 6.0 * (unknowns / FIELDS / ranks) ** (2 / 3)
    volume = counts.sent / counts.section * surface * (1 + hidden / counts.exchanges)
    return Estimate(
        work,
        exchanges * network.neighbours * network.latency_s,
        volume / network.bandwidth,
        counts.reductions * math.log2(ranks) * network.reduction_s,
    )


def _count_levels(unknowns: float, network: Network) -> float:
    return max(math.log(unknowns / FIELDS) / math.log(network.coarsening), 1.0)
