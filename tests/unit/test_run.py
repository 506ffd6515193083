"""The pipelines: what they leave behind when they end well, fail, or are interrupted."""

import json
import subprocess
import sys

import numpy as np
import pytest
import pyvista
from box import BOX, ELASTIC, UNDRAWN, create_tables
from dolfinx import io
from mpi4py import MPI

import chemomech
from chemomech.config import create_config, load_config
from chemomech.errors import ConvergenceError, InputError
from chemomech.geometry.meshing import read_domain
from chemomech.models.building import create_problem
from chemomech.models.particle import create_particle
from chemomech.output.ledger import read_ledger
from chemomech.simulation import preparation
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
CUBIC = {"kind": "cubic", "c11": "10 GPa", "c12": "4 GPa", "c44": "3 GPa"}


def configure(**tables):
    """Parameter set A on a small box, tables replaced as given (None: left out)."""
    table = {"mechanics": ELASTIC, "time": {"end": "0.01 s"}, "output": {"count": 2, **UNDRAWN}}
    return create_config(create_tables(**table | tables))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_simulation_leaves_finished_files(folder):
    config = configure()
    ended = chemomech.simulate(config, folder / "results", COMM, quiet=True)
    assert ended == "reached the end time 0.01 s"
    assert names_in(folder / "results") == [
        "config.toml",
        "fields.vtkhdf",
        "ledger.csv",
        "provenance.json",
    ]
    assert load_config(folder / "results" / "config.toml", COMM) == config
    ledger = read_ledger(folder / "results" / "ledger.csv")
    assert ledger["time_s"][-1] == 0.01
    np.testing.assert_allclose(np.cumsum(ledger["dt_s"]), ledger["time_s"], rtol=1e-12)
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-10
    provenance = json.loads((folder / "results" / "provenance.json").read_text())
    assert provenance["ended"] == ended
    assert provenance["ranks"] == COMM.size


def test_what_does_not_change_is_stationary(folder):
    config = configure(initial={"kind": "uniform", "mean": 0.3}, mechanics=None)
    ended = chemomech.simulate(config, folder / "results", COMM, quiet=True)
    assert ended.startswith("stationary at")
    assert len(read_ledger(folder / "results" / "ledger.csv")["step"]) == 2


def test_used_folder_is_refused_before_anything_is_made(folder, monkeypatch):
    if COMM.rank == 0:
        (folder / "precious.txt").touch()
    COMM.barrier()
    monkeypatch.delattr(preparation, "create_particle")
    with pytest.raises(InputError, match="already holds files"):
        chemomech.simulate(configure(), folder, COMM)
    assert names_in(folder) == ["precious.txt"]


@pytest.mark.parametrize(
    ("tables", "piece"),
    [
        ({"reaction": [{"kind": "no_flux", "group": "lft"}]}, "did you mean 'left'"),
        ({"initial": {"kind": "formula", "formula": "2 + x"}}, "initial"),
        ({"solver": {"petsc": {"ksp_type": "nonsense"}}}, "solver.petsc: PETSc fails with ksp_ty"),
    ],
)
def test_bad_input_leaves_no_folder(folder, tables, piece):
    with pytest.raises(InputError) as caught:
        chemomech.simulate(configure(**tables), folder / "results", COMM, quiet=True)
    assert piece in str(caught.value)
    COMM.barrier()
    assert names_in(folder) == []


@pytest.mark.skipif(COMM.size == 1, reason="about several ranks")
def test_mesh_too_small_for_checkpoints_is_refused_before_anything_is_written(folder):
    # 2 x 4 cells of 5 nm, of which checkpoints need eight a rank
    tables = {"geometry": BOX | {"size": ["10 nm", "20 nm"]}, "mesh": {"size": "5 nm"}}
    tables["mesh"]["allow_coarse"] = True
    words = f"8 cells is too small for checkpoints of {COMM.size} ranks; use at most 1"
    with pytest.raises(InputError, match=words) as caught:
        chemomech.simulate(configure(**tables), folder / "results", COMM, quiet=True)
    assert caught.value.key == "checkpoint.interval"
    COMM.barrier()
    assert names_in(folder) == []
    with pytest.raises(InputError, match=words):
        chemomech.validate(configure(**tables), COMM)
    tables["checkpoint"] = {"interval": "off"}
    assert chemomech.simulate(configure(**tables), folder / "results", COMM, quiet=True)


@pytest.mark.parametrize(
    ("preset", "name"), [("direct", "pc_type"), ("iterative", "fieldsplit_mechanics_pc_type")]
)
def test_only_options_that_petsc_does_not_know_are_reported(folder, caplog, preset, name):
    options = {name: "lu", "snes_nonsense": 1}
    config = configure(solver={"preset": preset, "petsc": options})
    chemomech.simulate(config, folder / "results", COMM, quiet=True)
    unused = [record.getMessage() for record in caplog.records if "PETSc" in record.message]
    said = "PETSc did not ask for these options of solver.petsc: snes_nonsense"
    assert unused == ([said] if COMM.rank == 0 else [])


@pytest.mark.parametrize(
    ("error", "ended"),
    [(ConvergenceError("no luck"), "failed: no luck"), (KeyboardInterrupt(), "interrupted")],
)
def test_a_run_that_breaks_off_keeps_what_it_had(folder, monkeypatch, error, ended):
    advance = Bdf.advance

    def break_off(self, target, events=()):
        if self.time > 0.0:
            raise error
        return advance(self, target, events)

    monkeypatch.setattr(Bdf, "advance", break_off)
    with pytest.raises(type(error)):
        chemomech.simulate(configure(), folder / "results", COMM, quiet=True)
    COMM.barrier()
    names = names_in(folder / "results")
    assert "ledger.partial.csv" in names
    assert "ledger.csv" not in names
    assert len(read_ledger(folder / "results" / "ledger.partial.csv")["step"]) == 2
    assert json.loads((folder / "results" / "provenance.json").read_text())["ended"] == ended


def cells_of(report, label):
    (line,) = [line for line in report.splitlines() if line.strip().startswith(label)]
    return line.strip().removeprefix(label).strip()


def test_validation_tells_the_theory_of_parameter_set_a():
    report = chemomech.validate(configure(), COMM)
    assert cells_of(report, "chi_eff").endswith(" 2.4529")
    assert cells_of(report, "eta =").endswith("0.01489")
    assert cells_of(report, "E / (RT C)") == "937.6"
    assert cells_of(report, "E eta^2 / (RT C)") == "0.208"
    assert cells_of(report, "l = sqrt(kappa / RT)") == "4.735 nm"
    assert cells_of(report, "binodal, stress-free") == "c = 0.0995 and 0.9005"
    assert cells_of(report, "spinodal, coherent") == "0.2851 < c < 0.7149"
    assert cells_of(report, "interface width, coherent") == "13.27 nm"
    assert cells_of(report, "fastest wave, coherent") == "44.21 nm, grows by e in 0.437 s"
    assert cells_of(report, "fastest wave, stress-free").startswith("34.36 nm")
    assert cells_of(report, "cells across an interface").startswith("4.0")
    # 16 x 8 squares of 2.5 nm, and c, mu, u_x, u_y at each of their corners.
    assert cells_of(report, "cells  ") == "128 (quadrilateral)"
    assert cells_of(report, "degrees of freedom") == str(17 * 9 * 4)


def test_validation_says_what_it_does_not_compute():
    mechanics = {
        "elasticity": CUBIC,
        "eigenstrain": {"kind": "vegard", "partial_molar_volume": "1e-6 m^3/mol"},
    }
    report = chemomech.validate(configure(mechanics=mechanics), COMM)
    assert cells_of(report, "coherent") == "not computed for anisotropic mechanics"
    assert "chi_eff" not in report.replace("no E, eta and chi_eff", "")
    assert cells_of(chemomech.validate(configure(mechanics=None), COMM), "mechanics") == "none"


def test_validation_of_a_mean_outside_the_spinodal():
    report = chemomech.validate(configure(initial={"kind": "uniform", "mean": 0.2}), COMM)
    assert cells_of(report, "fastest wave, stress-free").startswith("none")


SHAPES = {
    "triangle": BOX,
    "quadrilateral": BOX,
    "tetrahedron": BOX | {"size": ["30 nm", "20 nm", "10 nm"]},
    "hexahedron": BOX | {"size": ["30 nm", "20 nm", "10 nm"]},
}


@pytest.mark.parametrize("cell", SHAPES)
def test_gmsh_file_is_read_again_with_its_groups(folder, cell):
    config = configure(geometry=SHAPES[cell], mesh={"cell": cell})
    chemomech.write_mesh(config, folder / "box.msh", COMM)
    assert names_in(folder) == ["box.msh"]
    before = create_particle(config, COMM).domain
    after = read_domain(folder / "box.msh", COMM, 1e-9)
    assert after.groups == before.groups
    old, new = before.quality(), after.quality()
    assert (new.cells, new.vertices) == (old.cells, old.vertices)
    assert new.h_mean == pytest.approx(old.h_mean, rel=1e-12)
    for name in before.groups:
        counts = [
            COMM.allreduce(len(np.intersect1d(domain.facets(name), owned_facets(domain))))
            for domain in (before, after)
        ]
        assert counts[0] == counts[1] > 0


def owned_facets(domain):
    topology = domain.mesh.topology
    return np.arange(topology.index_map(topology.dim - 1).size_local)


def test_other_mesh_files(folder):
    config = configure()
    for suffix in (".vtu", ".xdmf", ".vtkhdf", ".bp"):
        chemomech.write_mesh(config, folder / f"box{suffix}", COMM)
    assert names_in(folder) == ["box.bp", "box.h5", "box.vtkhdf", "box.vtu", "box.xdmf"]
    if COMM.rank == 0:
        grid = pyvista.read(folder / "box.vtkhdf")
        assert grid.n_cells == 128
        assert grid.compute_cell_sizes()["Area"].sum() == pytest.approx(40 * 20)
    assert read_domain(folder / "box.vtu", COMM, 1e-9).quality().cells == 128
    with io.XDMFFile(COMM, folder / "box.xdmf", "r") as file:
        mesh = file.read_mesh()
        mesh.topology.create_connectivity(1, 2)
        tags = file.read_meshtags(mesh, "facet_tags")
    assert mesh.topology.index_map(2).size_global == 128
    assert COMM.allreduce(len(set(tags.values)), op=MPI.MAX) <= 4
    assert COMM.allreduce(len(tags.values)) >= 2 * (16 + 8)


def test_formula_of_a_configuration_runs_along_its_wire():
    wire = {"kind": "nanowire", "width": "20 nm", "legs": ["30 nm", "10 nm"]}
    formula = {"kind": "formula", "formula": "0.4 + along/1000 + across/100"}
    config = configure(geometry=wire, initial=formula, mechanics=None)
    problem = create_problem(config, create_particle(config, COMM))
    x, y, _ = problem.c.function_space.tabulate_dof_coordinates().T
    # The last lies to the right of the way along the wire.
    assert np.allclose(problem.c.x.array, 0.4 + x / 1000.0 - y / 100.0)


def test_mesh_files_are_never_overwritten(folder):
    if COMM.rank == 0:
        (folder / "box.h5").touch()
    COMM.barrier()
    with pytest.raises(InputError, match=r"box\.h5 exists already"):
        chemomech.write_mesh(configure(), folder / "box.xdmf", COMM)
    assert names_in(folder) == ["box.h5"]


def test_public_names_are_there():
    assert {name for name in chemomech.__all__ if hasattr(chemomech, name)} == set(
        chemomech.__all__
    )
    with pytest.raises(AttributeError, match="simulat"):
        _ = chemomech.simulat


@pytest.mark.skipif(COMM.size > 1, reason="starts a process of its own")
def test_import_is_light():
    script = "import sys, chemomech; sys.exit('dolfinx' in sys.modules or 'pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.skipif(COMM.size > 1, reason="a child of an MPI process must not start MPI again")
def test_first_step_does_not_wait_for_pictures_and_images():
    unused = ("matplotlib", "pyvista", "gmsh", "meshio", "skimage", "sklearn")
    script = (
        "import sys, chemomech.simulation.commands; "
        f"sys.exit(any(name in sys.modules for name in {unused}))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
