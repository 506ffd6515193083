"""The wire of two grains, in a short form: stripes follow each grain."""

import tomllib
from pathlib import Path

import gmsh
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.fenicsx import get_cell_nodes

ROOT = Path(__file__).resolve().parents[2]
COMM = MPI.COMM_WORLD
SIZE = 5.0


def read_demo(folder):
    """The demo's configuration on a coarser mesh of its recipe."""
    if COMM.rank == 0:
        gmsh.initialize(interruptible=False)
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(ROOT / "meshes" / "bicrystal_wire.geo"))
        gmsh.option.setNumber("Mesh.MeshSizeMin", SIZE)
        gmsh.model.mesh.generate(2)
        gmsh.write(str(folder / "bicrystal_wire.msh"))
        gmsh.finalize()
    COMM.barrier()
    table = tomllib.loads((ROOT / "demos" / "bicrystal_wire.toml").read_text("utf-8"))
    table["mesh"] = {"allow_coarse": True}
    table["time"]["end"] = "3 s"
    return create_config(table, folder)


def find_coherent_normal(config):
    """Angle from the first axis of the normal with the least coherency energy B(n), in degrees.

    In the plane of the first two axes of a cubic crystal.
    """
    law = config.mechanics.elasticity
    angles = np.radians(np.arange(0.0, 90.0, 0.1))
    normals = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
    stiffness = chemomech.create_cubic_stiffness(law.c11, law.c12, law.c44)
    energies = chemomech.compute_coherency_energy(
        stiffness, config.mechanics.eigenstrain.tensor, normals
    )
    return float(np.degrees(angles[np.argmin(energies)]))


def measure_walls(problem):
    """Direction of grad c in degrees and its square, cell by cell, in the middle of each grain."""
    mesh = problem.domain.mesh
    cells = np.arange(mesh.topology.index_map(2).size_local, dtype=np.int32)
    expression = fem.Expression(ufl.grad(problem.c), np.full((1, 2), 1 / 3))
    gradients = expression.eval(mesh, cells).reshape(-1, 2)
    x, y, _ = mesh.geometry.x[get_cell_nodes(mesh.geometry)[cells]].mean(axis=1).T
    for left in (20.0, 140.0):
        inside = (x > left) & (x < left + 80.0) & (np.abs(y - 40.0) < 25.0)
        along, across = gradients[inside].T
        yield np.degrees(np.arctan2(across, along)), along**2 + across**2


@pytest.mark.slow
@pytest.mark.one_rank
def test_stripes_follow_each_grain(folder):
    """Most of each grain's walls are within 15 degrees of its coherent ones; by chance a third."""
    config = read_demo(folder)
    coherent = find_coherent_normal(config)
    simulation = chemomech.Simulation(config, COMM)
    simulation.run(quiet=True)
    problem = simulation.model
    assert problem.c.x.array.min() < 0.15
    assert problem.c.x.array.max() > 0.85
    for grain, (angles, weights) in zip(config.crystal, measure_walls(problem), strict=True):
        turn = np.degrees(grain.euler_angles[0])
        normals = np.array([[turn - coherent], [turn + coherent]])
        off = np.abs((angles - normals + 90.0) % 180.0 - 90.0).min(axis=0)
        assert weights[off < 15.0].sum() > 0.5 * weights.sum()
