"""The one place that knows how DOLFINx releases differ (0.9 to 0.11)."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib
import os
import platform
import signal
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import dolfinx
import numpy as np
import ufl
import ufl.sorting
from dolfinx import cpp, fem, graph, jit, mesh
from numpy.typing import NDArray
from petsc4py import PETSc

from chemomech.errors import InputError
from chemomech.form_cache import recover_from_dead_compilers

_RELEASE = tuple(int(part) for part in dolfinx.__version__.split(".")[:2])

#: PETSc's reason for a residual that is no finite number, which PETSc 3.25 calls by another name.
SNES_NOT_FINITE = -4

#: Environment variable that names the folder for compiled forms.
_JIT_CACHE = "CHEMOMECH_JIT_CACHE"


def _place_jit_cache(folder: str | None) -> None:
    """Let DOLFINx keep its compiled forms in a folder of the user's choice.

    Of the ranks that share a mesh the first compiles; the others wait and read. Done when this
    module is imported, before anything is compiled.

    Args:
        folder: The folder, made where it is missing; None leaves DOLFINx's own choice, or where
            that cannot be written to takes a folder for this user alone among temporary files.
    """
    default, description = jit.DOLFINX_DEFAULT_JIT_OPTIONS["cache_dir"]
    if not folder:
        if not _is_writable(Path(default).expanduser()):
            private = Path(tempfile.gettempdir(), f"chemomech-{os.getuid()}")
            if _is_private(private):
                jit.DOLFINX_DEFAULT_JIT_OPTIONS["cache_dir"] = (private, description)
        return
    path = Path(folder).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot be made: {error.strerror}", key=_JIT_CACHE, path=folder
        ) from error
    if not os.access(path, os.W_OK):
        raise InputError("cannot be written to", key=_JIT_CACHE, path=folder)
    jit.DOLFINX_DEFAULT_JIT_OPTIONS["cache_dir"] = (path.resolve(), description)


def _is_writable(folder: Path) -> bool:
    """Make a folder if need be, and tell if files can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _is_private(folder: Path) -> bool:
    """Make a folder if need be, and tell if it is this user's alone: programs are run from it."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return mine and not status.st_mode & 0o077


def _choose_compiler_flags() -> None:
    """Compile forms for this processor: a third off the time of the kernels.

    The processor's name is among the flags, and so in the name under which a compiled form is kept:
    one cache can serve machines of several kinds.
    """
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    kind = "".join(sorted({line for line in lines if line.startswith(("flags", "Features"))}))
    digest = hashlib.sha256((kind or platform.machine()).encode()).hexdigest()[:8]
    _, description = jit.DOLFINX_DEFAULT_JIT_OPTIONS["cffi_extra_compile_args"]
    flags = ["-O3", "-march=native", "-g0", f"-DCHEMOMECH_PROCESSOR=0x{digest}"]
    jit.DOLFINX_DEFAULT_JIT_OPTIONS["cffi_extra_compile_args"] = (flags, description)


def _let_pipes_break() -> None:
    """Take back SIGPIPE from PETSc, which would end the run where nobody reads its output."""
    if threading.current_thread() is threading.main_thread():
        # Python's own idea of it, which PETSc has not changed.
        signal.signal(signal.SIGPIPE, signal.getsignal(signal.SIGPIPE))


def _order_constants() -> None:
    """Let UFL order constants by their numbers.

    It orders them as texts: the form of constants 999 and 1000 is another one than that of 998 and
    999, and is compiled anew.
    """

    def compare(one: ufl.Constant, other: ufl.Constant) -> int:
        return int(one.count() > other.count()) - int(one.count() < other.count())

    ufl.sorting._terminal_cmps[ufl.Constant._ufl_typecode_] = compare


_let_pipes_break()
_place_jit_cache(os.environ.get(_JIT_CACHE))
_choose_compiler_flags()
_order_constants()
recover_from_dead_compilers()

# Open MPI's MPI_Dist_graph_create, which adios4dolfinx calls, hangs at random with the component
# that is its default (open-mpi/ompi#13918). It looks for another when the first mesh is made.
os.environ.setdefault("OMPI_MCA_topo", "basic")
# Outside mpirun ADIOS2's Python module would take its serial build, if that is there at all.
os.environ.setdefault("ADIOS2_ALWAYS_USE_MPI", "1")


def import_adios4dolfinx() -> ModuleType:
    """Import adios4dolfinx.

    Raises:
        InputError: It, or ADIOS2's Python module built for MPI, is missing.
    """
    try:
        return importlib.import_module("adios4dolfinx")
    except ImportError as error:
        raise InputError(
            "checkpoints need adios4dolfinx, and ADIOS2's Python module built for MPI "
            f"(python3-adios2-mpi, or adios2 on conda-forge): {error}"
        ) from error


def get_adios2_write_mode() -> object:
    """Return ADIOS2's mode for files that are made anew; releases keep it in different places."""
    adios2 = importlib.import_module("adios2")
    return getattr(adios2, "bindings", adios2).Mode.Write


def create_real_space(domain: mesh.Mesh) -> fem.FunctionSpace:
    """Create the space of functions constant over the whole mesh: one global unknown.

    Its single degree of freedom is owned by rank 0 and a ghost everywhere else, so forms,
    residuals and matrices treat it like any other block.
    """
    cells = domain.topology.index_map(domain.topology.dim)
    piecewise = fem.functionspace(domain, ("DG", 0))
    if domain.comm.rank == 0:
        ghosts, owners = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    else:
        ghosts, owners = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int32)
    tag = () if _RELEASE < (0, 11) else (0,)
    index_map = cpp.common.IndexMap(domain.comm, int(domain.comm.rank == 0), ghosts, owners, *tag)
    everywhere = np.zeros((cells.size_local + cells.num_ghosts, 1), dtype=np.int32)
    lists = graph.adjacencylist(everywhere)
    layout = piecewise.dofmap._cpp_object.dof_layout
    dofmap = cpp.fem.DofMap(layout, index_map, 1, getattr(lists, "_cpp_object", lists), 1)
    element = piecewise.element
    arguments = (domain._cpp_object, getattr(element, "_cpp_object", element), dofmap)
    if _RELEASE < (0, 10):
        space = cpp.fem.FunctionSpace_float64(*arguments, [])
    else:
        space = cpp.fem.FunctionSpace_float64(*arguments)
    return fem.FunctionSpace(domain, piecewise.ufl_element(), space)


def create_owner_partitioner(owners: NDArray[np.int32]) -> Callable[..., object]:
    """Create what `dolfinx.mesh.create_mesh` takes to send each cell to a given rank, ghostless.

    Owners are those of the cells that this rank brings, shape (cells,).
    """
    offsets = np.arange(len(owners) + 1, dtype=np.int32)
    destinations = graph.adjacencylist(np.ascontiguousarray(owners, dtype=np.int32), offsets)
    plain = getattr(destinations, "_cpp_object", destinations)
    return lambda *_: plain


def replace_topology(domain: mesh.Mesh, corners: NDArray[np.int64]) -> mesh.Mesh:
    """Create a mesh of the same cells on the same ranks, whose corners are other vertices.

    Only the topology changes: the nodes of the geometry stay. Collective.

    Args:
        domain: Mesh without ghost cells.
        corners: Vertex at each corner of this rank's cells, by names that all ranks share, shape
            (cells, corners).
    """
    former, names = domain.topology, np.ascontiguousarray(corners, dtype=np.int64).ravel()
    threads = () if _RELEASE < (0, 11) else (0,)  # none beside this one
    assert former.index_map(former.dim).num_ghosts == 0
    topology = cpp.mesh.create_topology(
        domain.comm,
        [former.cell_type],
        [names],
        [np.asarray(former.original_cell_index, dtype=np.int64)],
        [np.empty(0, dtype=np.int32)],
        # Any of them may be shared with another rank.
        np.unique(names),
        *threads,
    )
    plain = cpp.mesh.Mesh_float64(domain.comm, topology, domain.geometry._cpp_object)
    return mesh.Mesh(plain, ufl.Mesh(domain.ufl_domain().ufl_coordinate_element()))


def get_cell_nodes(geometry: mesh.Geometry) -> NDArray[np.int32]:
    """Geometry nodes of each cell on this rank, shape (cells, nodes a cell)."""
    return geometry.dofmap if _RELEASE < (0, 11) else geometry.dofmaps[0]


def get_geometry_degree(geometry: mesh.Geometry) -> int:
    """Polynomial degree of the map from reference to physical cells: 1 for straight cells."""
    return int((geometry.cmap if _RELEASE < (0, 11) else geometry.cmaps[0]).degree)


def get_interpolation_points(space: fem.FunctionSpace) -> NDArray[np.float64]:
    """Points of the reference cell at which `fem.Expression` is to be taken for a space."""
    points = space.element.interpolation_points
    return np.asarray(points() if _RELEASE < (0, 10) else points)


def is_option_unused(prefix: str, name: str) -> bool:
    """Tell whether PETSc has never been asked for an option, its name without prefix and dash."""
    # petsc4py 3.22 does not pass the question on, and 3.25 asks for a name with a dash, which PETSc
    # does not know: it says no to everything.
    answer = ctypes.c_int()
    _load_petsc().PetscOptionsUsed(None, f"{prefix}{name}".encode(), ctypes.byref(answer))
    return not answer.value


@functools.cache
def _load_petsc() -> ctypes.CDLL:
    """Load PETSc's C functions, once: to find the library again takes milliseconds."""
    return ctypes.CDLL(PETSc.__file__)
