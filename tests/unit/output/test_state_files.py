"""What is written on some ranks comes back bit for bit on others, or not at all."""

import os
import shutil
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.output import state_files
from chemomech.output.state_files import read_functions, write_functions

WORLD = MPI.COMM_WORLD
BOXES = {
    "triangle": (8e-9, 6e-9),
    "quadrilateral": (8e-9, 6e-9),
    "tetrahedron": (4e-9, 3e-9, 2e-9),
    "hexahedron": (4e-9, 3e-9, 2e-9),
}
ELEMENTS = {
    "linear": ("Lagrange", 1),
    "linear_vector": ("Lagrange", 1, (2,)),
    "quadratic": ("Lagrange", 2),
    "quadratic_vector": ("Lagrange", 2, (2,)),
}
LAUNCHES = pytest.mark.skipif(
    WORLD.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)


def create_mesh(comm, cell="quadrilateral"):
    return create_domain(Box(BOXES[cell]), 1e-9, comm, cell).mesh


def create_functions(mesh, names=tuple(ELEMENTS)):
    spaces = {name: fem.functionspace(mesh, ELEMENTS[name]) for name in names}
    return {name: fem.Function(space) for name, space in spaces.items()}


def compute_bits(function, seed=0):
    """Bits from the places of the unknowns alone: most any number, infinite and none at all too."""
    space = function.function_space
    places = np.rint(16 * space.tabulate_dof_coordinates()).astype(np.int64).astype(np.uint64)
    components = np.arange(space.dofmap.bs, dtype=np.uint64) + np.uint64(seed)
    bits = (places @ np.array([1, 10**5, 10**10], dtype=np.uint64))[:, None] + components
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return bits.reshape(-1)


def fill(functions):
    for seed, function in enumerate(functions.values()):
        function.x.array[:] = compute_bits(function, seed).view(np.float64)
    return functions


def assert_filled(functions):
    for seed, (name, function) in enumerate(functions.items()):
        bits = function.x.array.view(np.uint64)
        np.testing.assert_array_equal(bits, compute_bits(function, seed), err_msg=name)


def list_sizes(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


@pytest.mark.parametrize("cell", BOXES)
@pytest.mark.parametrize(("writers", "readers"), [(1, 1), (2, 2), (2, 3), (3, 1), (3, 3)])
def test_bits_and_ghosts_come_back_on_any_number_of_ranks(shared_path, writers, readers, cell):
    if max(writers, readers) > WORLD.size or (WORLD.size == 1 < writers):
        pytest.skip(f"needs {max(writers, readers)} ranks")
    path = shared_path / "state"
    for count, action in ((writers, write_functions), (readers, read_functions)):
        some = WORLD.Split(0 if WORLD.rank < count else MPI.UNDEFINED)
        if some != MPI.COMM_NULL:
            functions = create_functions(create_mesh(some, cell))
            if action is write_functions:
                fill(functions)
            action(path, functions)
            assert_filled(functions)
        WORLD.barrier()


def test_functions_on_one_space_share_its_numbers(shared_path, comm):
    space = fem.functionspace(create_mesh(comm), ("Lagrange", 1))
    levels = fill({f"composition_{level}": fem.Function(space) for level in range(5)})
    write_functions(shared_path / "one", {"composition_0": levels["composition_0"]})
    write_functions(shared_path / "five", levels)
    back = {name: fem.Function(space) for name in levels}
    read_functions(shared_path / "five", back)
    assert_filled(back)
    # 63 points and 48 cells of 4 corners: 4 further lists of 504 bytes, no further list of corners.
    one, five = (list_sizes(shared_path / name) for name in ("one", "five"))
    added = {name: five[name] for name in five.keys() - one.keys()}
    assert added == {f"composition_{level}.values": 504 for level in range(1, 5)}
    assert five["space_0.bp/data.0"] == one["space_0.bp/data.0"]


def test_some_of_the_functions_are_read(shared_path, comm):
    functions = fill(create_functions(create_mesh(comm)))
    write_functions(shared_path / "state", functions)
    back = create_functions(create_mesh(comm), ["quadratic_vector"])
    read_functions(shared_path / "state", back)
    expected = compute_bits(back["quadratic_vector"], seed=list(ELEMENTS).index("quadratic_vector"))
    np.testing.assert_array_equal(back["quadratic_vector"].x.array.view(np.uint64), expected)


def test_file_is_replaced(shared_path, comm):
    functions = create_functions(create_mesh(comm), ["linear"])
    write_functions(shared_path / "state", functions)
    write_functions(shared_path / "state", fill(functions))
    functions["linear"].x.array[:] = 0.0
    read_functions(shared_path / "state", functions)
    assert_filled(functions)
    assert [path.name for path in shared_path.iterdir()] == ["state"]


def test_room_reserved_is_enough(shared_path, comm):
    """The space asked for beforehand is what a file takes, rounded up to blocks of the disk."""
    functions = fill(create_functions(create_mesh(comm, "hexahedron")))
    write_functions(shared_path / "state", functions)
    payload = state_files._compute_payload(state_files._lay_out(functions))
    slack = state_files._SLACK + state_files._SLACK_OF_RANK * comm.size * len(functions)
    files = list_sizes(shared_path / "state").values()
    assert payload < sum(files) < payload + slack - 4096 * len(files)


def test_what_was_not_stored_is_refused(shared_path, comm):
    path = shared_path / "state"
    functions = fill(create_functions(create_mesh(comm), ["linear", "quadratic"]))
    write_functions(path, functions)
    with pytest.raises(InputError, match=r"'rate' \(known functions: linear, quadratic\)"):
        read_functions(path, {"rate": functions["linear"]})
    with pytest.raises(InputError, match=r"63 unknowns on 48 cells, 4 to each.* 221 on 48, 9 to"):
        read_functions(path, {"linear": functions["quadratic"]})
    other = create_domain(Box((8e-9, 7e-9)), 1e-9, comm).mesh
    with pytest.raises(InputError, match="72 on 56"):
        read_functions(path, create_functions(other, ["linear"]))
    assert_filled(functions)


def test_missing_file_is_an_error_of_all_ranks(shared_path, comm):
    with pytest.raises(OSError, match=r"none cannot be read: No such file"):
        read_functions(shared_path / "none", create_functions(create_mesh(comm)))


@pytest.mark.skipif(WORLD.size == 1, reason="one rank has all cells")
def test_too_many_ranks_for_a_mesh_are_refused(shared_path, comm):
    functions = create_functions(create_domain(Box((4e-9, 3e-9)), 1e-9, comm).mesh)
    with pytest.raises(InputError, match=r"12 cells is too small .*; use at most 1"):
        write_functions(shared_path / "state", functions)
    owners = np.zeros(48, dtype=np.int32)
    uneven = create_domain(Box((8e-9, 6e-9)), 1e-9, comm, owners=owners).mesh
    with pytest.raises(InputError, match="48 cells is too small"):
        write_functions(shared_path / "state", create_functions(uneven))


def test_full_disk_is_an_error_of_all_ranks(small_disk, comm):
    disk = small_disk("512k")
    functions = fill(create_functions(create_mesh(comm), ["linear"]))
    write_functions(disk / "first", functions)
    if comm.rank == 0:
        (disk / "ballast").write_bytes(bytes(256 * 1024))
    comm.barrier()
    with pytest.raises(OSError, match=r"second cannot be written: No space left on device"):
        write_functions(disk / "second", functions)
    functions["linear"].x.array[:] = 0.0
    read_functions(disk / "first", functions)
    assert_filled(functions)
    assert sorted(path.name for path in disk.iterdir()) == ["ballast", "first"]


def test_missing_folder_is_an_error_of_all_ranks(shared_path, comm):
    functions = create_functions(create_mesh(comm), ["linear"])
    with pytest.raises(OSError, match="No such file or directory"):
        write_functions(shared_path / "gone" / "state", functions)


def test_folder_removed_after_it_was_written(shared_path, comm, monkeypatch):
    """ADIOS2 has closed its file; what comes after does not arrive."""
    library = state_files.import_adios4dolfinx()
    original = library.write_function_on_input_mesh

    def write_and_lose(path, *arguments, **options):
        original(path, *arguments, **options)
        comm.barrier()
        if comm.rank == 0:
            shutil.rmtree(path.parent)
        comm.barrier()

    monkeypatch.setattr(library, "write_function_on_input_mesh", write_and_lose)
    functions = create_functions(create_mesh(comm), ["linear"])
    with pytest.raises(OSError, match="No such file"):
        write_functions(shared_path / "state", functions)


def test_failure_on_one_rank_reaches_all(shared_path, comm, monkeypatch):
    library = state_files.import_adios4dolfinx()

    def fail_at_the_end(path, function, **options):
        if comm.rank == comm.size - 1:
            raise RuntimeError("\x1b[1;36m[ADIOS2 EXCEPTION]\x1b[0m the disk\n is on fire")

    monkeypatch.setattr(library, "write_function_on_input_mesh", fail_at_the_end)
    functions = create_functions(create_mesh(comm), ["linear"])
    with pytest.raises(OSError, match=r"written: \[ADIOS2 EXCEPTION\] the disk is on fire$"):
        write_functions(shared_path / "state", functions)


OVERTAKEN = textwrap.dedent("""
    import sys, time
    from pathlib import Path
    from dolfinx import fem
    from mpi4py import MPI
    from chemomech.geometry.box import Box
    from chemomech.geometry.meshing import create_domain
    from chemomech.output import state_files

    comm = MPI.COMM_WORLD
    state_files._reserve = lambda path, size: None
    state_files._PATIENCE = 1.0
    mesh = create_domain(Box((100e-9, 100e-9)), 1e-9, comm).mesh
    functions = {"c": fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))}
    try:
        state_files.write_functions(Path(sys.argv[1], "state"), functions)
    except OSError as error:
        # Not one write, in which the other rank's word may stand.
        sys.stdout.write(f"caught: {error}\\n")
        sys.stdout.flush()
        if comm.size > 1:
            comm.Abort(7)
        sys.exit(7)
""")


@LAUNCHES
@pytest.mark.parametrize("ranks", [1, 2])
def test_space_taken_after_it_was_looked_for(small_disk, tmp_path, ranks):
    """Here ADIOS2 would end the program, or wait for ever on the ranks that do not write."""
    disk = small_disk("256k")
    (tmp_path / "program.py").write_text(OVERTAKEN)
    command = ["mpirun", "-n", str(ranks), sys.executable, str(tmp_path / "program.py"), str(disk)]
    begin = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "caught: " in run.stdout, run.stderr
    assert "state cannot be written" in run.stdout
    assert run.returncode == 7
    assert time.monotonic() - begin < 40


REMOVED = textwrap.dedent("""
    import shutil, sys
    from pathlib import Path
    from dolfinx import fem
    from mpi4py import MPI
    from chemomech.geometry.box import Box
    from chemomech.geometry.meshing import create_domain
    from chemomech.output import state_files

    comm, path, loser = MPI.COMM_WORLD, Path(sys.argv[1], "state"), int(sys.argv[2])
    library = state_files.import_adios4dolfinx()
    original = library.write_function_on_input_mesh

    def lose_and_write(file, *arguments, **options):
        if comm.rank == loser:
            shutil.rmtree(file.parent, ignore_errors=True)
        original(file, *arguments, **options)

    library.write_function_on_input_mesh = lose_and_write
    state_files._PATIENCE = 1.0
    mesh = create_domain(Box((8e-9, 6e-9)), 1e-9, comm).mesh
    functions = {"c": fem.Function(fem.functionspace(mesh, ("Lagrange", 1)))}
    functions["c"].x.array[:] = 0.25
    try:
        state_files.write_functions(path, functions)
    except OSError as error:
        sys.stdout.write(f"caught: {error}\\n")
        sys.stdout.flush()
        comm.Abort(7)
    functions["c"].x.array[:] = 0.0
    state_files.read_functions(path, functions)
    assert (functions["c"].x.array == 0.25).all()
""")


@LAUNCHES
@pytest.mark.parametrize("loser", [0, 1])
def test_folder_removed_by_one_rank_before_it_is_written(tmp_path, loser):
    """Some rank fails and ends all, or ADIOS2 makes it anew and it is whole; none waits on."""
    (tmp_path / "program.py").write_text(REMOVED)
    command = ["mpirun", "-n", "2", sys.executable, str(tmp_path / "program.py"), str(tmp_path)]
    run = subprocess.run(
        [*command, str(loser)], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode in (0, 7), run.stderr
    assert ("cannot be written" in run.stdout) == (run.returncode == 7)


def test_open_mpi_is_kept_from_its_faulty_topologies():
    assert os.environ["OMPI_MCA_topo"] == "basic"  # noqa: SIM112 - Open MPI's own spelling
