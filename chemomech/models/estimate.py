"""The size of a problem, its memory and its time, before anything is meshed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chemomech import config as cfg
from chemomech.errors import InputError
from chemomech.geometry.outline import Outline
from chemomech.solvers.presets import Preset, choose_preset

# Neighbours of a vertex in a regular mesh, itself included: couplings of one scalar unknown.
_NEIGHBOURS = {"triangle": 7, "quadrilateral": 9, "tetrahedron": 15, "hexahedron": 27}
_BYTES_PER_ENTRY = 12
# Fitted to the memory of runs: copies of the matrix that live at once, and the share of the fill
# of nested dissection on a grid (George 1973) that MUMPS stores.
_COPIES = 3
_FILL_SHARE = 0.25
_BYTES_PER_RANK = 0.3e9
# Measured while 10^6 squares and 7.5 10^5 cubes were meshed and their shapes judged.
_BYTES_PER_VERTEX = {2: 800, 3: 2500}
#: Steps of a run of which nothing is known.
STEPS = 250
# A bent wire of 42 000 unknowns on two ranks of a desktop machine, a rank.
_SECONDS_PER_UNKNOWN_AND_STEP = 2.0e-6


@dataclass(frozen=True)
class Size:
    """Size of a problem: name of the cells' type, numbers of cells, vertices and unknowns."""

    cell: str
    cells: float
    vertices: float
    unknowns: float

    @property
    def dimension(self) -> int:
        """Of the mesh."""
        return 2 if self.cell in ("triangle", "quadrilateral") else 3

    def choose_preset(self, config: cfg.Config) -> Preset:
        """Return the linear solver's preset that is configured, or that suits the size."""
        if config.solver.preset != "auto":
            return Preset(config.solver.preset)
        return choose_preset(round(self.unknowns), self.dimension)

    def estimate_memory(self, preset: Preset, ranks: int) -> float:
        """Bytes for mesh, matrices, factors and the program on so many ranks."""
        per_vertex = self.unknowns / self.vertices
        couplings = per_vertex * _NEIGHBOURS[self.cell]
        memory = _BYTES_PER_RANK * ranks + _BYTES_PER_VERTEX[self.dimension] * self.vertices
        memory += _COPIES * self.unknowns * couplings * _BYTES_PER_ENTRY
        if preset is Preset.ITERATIVE:
            return memory
        n = self.vertices
        fill = 31 / 4 * n * math.log2(n) if self.dimension == 2 else 31 * n ** (4 / 3)
        return memory + 2 * _FILL_SHARE * fill * per_vertex**2 * _BYTES_PER_ENTRY

    def estimate_time(self, ranks: int) -> float:
        """Seconds of :data:`STEPS` time steps on so many ranks, start-up not counted."""
        return STEPS * _SECONDS_PER_UNKNOWN_AND_STEP * self.unknowns / ranks


def estimate_size(config: cfg.Config, shape: object) -> Size | None:
    """Estimate the size of a problem of a given shape; None for a mesh from a file.

    Quadrilaterals and hexahedra count their volume over the size's power; triangles and tetrahedra
    are equilateral.
    """
    geometry, size = config.geometry, config.mesh_size
    if size is None or isinstance(geometry, cfg.MeshFileConfig):
        return None
    dimension = geometry.dimension
    if isinstance(geometry, cfg.OutlineConfig):
        assert isinstance(shape, Outline)
        volume, regular = shape.area, ("triangle", "tetrahedron")
    else:
        volume, regular = math.prod(geometry.extents), ("quadrilateral", "hexahedron")
    cell = regular[dimension - 2] if config.mesh.cell == "auto" else config.mesh.cell
    vertices, a_vertex = volume / size**dimension, 1.0
    if cell in ("triangle", "tetrahedron"):
        vertices *= {2: 2 / math.sqrt(3), 3: math.sqrt(2)}[dimension]
        a_vertex = {2: 2.0, 3: 5.0}[dimension]
    solver = config.solver
    fields = 2 * solver.degree_composition**dimension
    if config.mechanics is not None:
        fields += dimension * solver.degree_displacement**dimension
    return Size(cell, vertices * a_vertex, vertices, vertices * fields)


def describe_needs(size: Size, preset: Preset, ranks: int) -> str:
    """Say what a problem needs, for people."""
    memory, seconds = size.estimate_memory(preset, ranks), size.estimate_time(ranks)
    return (
        f"about {_format_count(size.unknowns)} unknowns, {memory / 1e9:.2g} GB, and "
        f"{format_time(seconds)} for {STEPS} steps on {ranks} rank(s)"
    )


def require_memory(config: cfg.Config, size: Size, ranks: int, memory: float) -> None:
    """Refuse a problem that does not fit into the memory (bytes), unless the user allows it."""
    preset = size.choose_preset(config)
    if config.mesh.allow_large or size.estimate_memory(preset, ranks) <= memory:
        return
    raise InputError(
        f"{describe_needs(size, preset, ranks)} are needed, but there are {memory / 1e9:.2g} GB of "
        "memory here: use larger cells, a smaller particle or more machines, or set "
        "mesh.allow_large = true",
        key="mesh.size",
    )


def _format_count(number: float) -> str:
    """Write a large number in words, such as ``64 million``."""
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:.0f}" if number < 1000 else f"{float(f'{number:.2g}'):.0f}"


def format_time(seconds: float) -> str:
    """Write a time in hours, minutes or seconds."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
