"""Tables [[crystal]] become the axes of laws."""

from dataclasses import replace

import numpy as np
import pytest
import ufl
from box import BOX, ELASTIC, MATERIAL, create_tables
from core_and_shell import write_core_and_shell
from dolfinx import fem
from mpi4py import MPI
from my_laws import Uneven

from chemomech.config import StressConfig, create_config
from chemomech.config.laws.eigenstrain import SIMULATION
from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.mapping.stress_model import StressModel
from chemomech.materials.elasticity import Assumption
from chemomech.materials.orientation import create_turned_axes
from chemomech.materials.scalars import evaluate
from chemomech.models.axes import create_local_axes
from chemomech.models.building import create_problem
from chemomech.models.mechanics import create_mechanics
from chemomech.models.particle import create_particle
from chemomech.problems.crystal_axes import CrystalAxes
from chemomech.problems.parameters import Parameters

COMM = MPI.COMM_WORLD
STRAINS = (0.03, -0.01, 0.02)


def measure(crystal, geometry=BOX):
    """Eigenstrain of a law in crystal axes in each cell of this rank, midpoints and parameters."""
    mechanics = ELASTIC | {"eigenstrain": {"kind": Uneven(STRAINS, 0.0), "frame": "crystal"}}
    mesh = {"size": "5 nm", "cell": "triangle"} if geometry is BOX else {}
    mesh["allow_coarse"] = True
    tables = create_tables(mechanics=mechanics, crystal=crystal, geometry=geometry, mesh=mesh)
    config = create_config(tables)
    domain = create_particle(config, COMM).domain
    parameters = Parameters(domain.mesh)
    axes = create_local_axes(config.crystal, domain, None, parameters)
    use, plane = replace(SIMULATION, mean=0.5), Assumption.PLANE_STRAIN
    laws = create_mechanics(config.mechanics, "mechanics.", parameters, axes, plane, 1e9, use)
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    expression = fem.Expression(laws.eigenstrain.strain(ufl.as_ufl(1.0)), np.full((1, 2), 1 / 3))
    values = expression.eval(domain.mesh, cells).reshape(-1, 3, 3)
    middles = domain.mesh.geometry.x[get_cell_nodes(domain.mesh.geometry)[cells]].mean(axis=1)
    return values, middles, parameters


def test_a_law_of_ones_own_turns_with_grains(folder, monkeypatch):
    """A quarter turn in the core, evaluated again only where an angle changes."""
    if COMM.rank == 0:
        write_core_and_shell(folder / "two.msh")
    COMM.barrier()
    core = {"cells": "core", "euler_angles": ["90 deg", "0 deg", "0 deg"]}
    geometry = {"kind": "mesh", "file": str(folder / "two.msh"), "unit": "1 nm"}
    values, middles, parameters = measure([core, {"axes": [[1, 0], [0, 1]]}], geometry)
    in_core = (np.abs(middles[:, :2] - 20.0) < 10.0).all(axis=1)[:, None, None]
    turned = np.diag([STRAINS[1], STRAINS[0], STRAINS[2]])
    np.testing.assert_allclose(values, np.where(in_core, turned, np.diag(STRAINS)), atol=1e-16)
    assert parameters.describe("crystal.0.euler_angles").unit == "rad"
    calls = []
    monkeypatch.setattr(CrystalAxes, "update", lambda self: calls.append(self))
    for name, value in parameters.items():
        parameters[name] = value
    assert not calls
    parameters["crystal.0.euler_angles"] = [1.0, 0.0, 0.0]
    assert len(calls) == 1


def test_a_turn_by_place():
    values, middles, _ = measure([{"formula": "90*x/40"}])
    turn = create_turned_axes(np.pi / 2 * middles[:, 0] / 40.0)
    expected = turn @ np.diag(STRAINS) @ turn.transpose(0, 2, 1)
    np.testing.assert_allclose(values, expected, atol=1e-15)


def test_transport_and_walls_turn_with_the_crystal():
    """Fast along the first axis of the crystal, which lies along (3, 4)."""
    factors = {"values": [6.0, 1.0, 1.0], "frame": "crystal"}
    material = MATERIAL | {
        "mobility": MATERIAL["mobility"] | {"anisotropy": factors},
        "gradient": {"kappa": "5.5e-14 J*m^2/mol", "anisotropy": factors},
    }
    config = create_config(create_tables(material=material, crystal=[{"axes": [[3, 4], [-4, 3]]}]))
    problem = create_problem(config, create_particle(config, COMM))
    n = ufl.as_vector([0.6, 0.8])
    for tensor in (
        problem.mobility.value(problem.c, None),
        problem.energy_density.gradient_coefficient,
    ):
        along, across = (
            problem.compile_integral(ufl.dot(v, tensor * v))()
            for v in (n, ufl.as_vector([-n[1], n[0]]))
        )
        assert along / across == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize(
    ("assumption", "factor"), [("plane_strain", 0.505), ("plane_stress", 0.0198)]
)
def test_nothing_flows_through_the_faces_of_a_sheet(assumption, factor):
    """Factors of 1 and 0.01, turned by 45 degrees about y: 2 / (1 / 1 + 1 / 0.01) in a sheet."""
    table = {"tensor": [[0.505, 0, 0.495], [0, 0.01, 0], [0.495, 0, 0.505]]}
    material = MATERIAL | {
        "mobility": {"kind": "constant", "diffusivity": "1e-15 m^2/s", "anisotropy": table},
        "gradient": {"kappa": "5.5e-14 J*m^2/mol", "anisotropy": table},
    }
    mechanics = ELASTIC | {"assumption": assumption}
    tables = create_tables(
        material=material, mechanics=mechanics, mesh={"size": "5 nm", "allow_coarse": True}
    )
    config = create_config(tables)
    problem = create_problem(config, create_particle(config, COMM))
    for tensor in (
        problem.mobility.value(problem.c, None),
        problem.energy_density.gradient_coefficient,
    ):
        assert evaluate(tensor[0, 0] / tensor[1, 1]) == pytest.approx(factor / 0.01, rel=1e-3)


@pytest.mark.parametrize(
    ("crystal", "key", "message"),
    [
        ([{"cells": "core", "formula": "0"}], "crystal.0.cells", "no cell group 'core'"),
        ([{"formula": "t"}], "crystal.0.formula", "uses 't'"),
        ([{"formula": "sqrt(x - 20)"}], "crystal", "not finite: look at its formula"),
    ],
)
def test_crystals_that_cannot_be_are_refused(crystal, key, message):
    with pytest.raises(InputError, match=message) as caught:
        measure(crystal)
    assert caught.value.key == key


def test_a_free_particle_of_a_stress_map_takes_its_own_strain(folder):
    """Turned by 30 degrees, of a crystal whose stiffness follows the composition."""
    cubic = {"kind": "cubic", "c11": "60 GPa", "c12": "25 GPa", "c44": "20 GPa"}
    tensor = np.diag(STRAINS).tolist()
    tables = {
        "composition": {"kind": "field", "file": str(folder)},
        "elasticity": {"kind": "mixture", "poor": cubic, "rich": cubic | {"c44": "10 GPa"}},
        "eigenstrain": {"kind": "tensor", "tensor": tensor, "frame": "crystal"},
        "crystal": [{"euler_angles": ["30 deg", "0 deg", "0 deg"]}],
    }
    tables["elasticity"]["frame"] = "crystal"
    domain = create_domain(Box((40e-9, 20e-9)), 10e-9, COMM, "triangle")
    composition = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    composition.x.array[:] = 0.5
    tangent = fem.Function(fem.functionspace(domain.mesh, ("DG", 0, (2,))))
    model = StressModel(create_config(tables, model=StressConfig), domain, tangent, composition)
    model.solve()
    cells = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    strain = fem.Expression(model.problem.strain(), np.full((1, 2), 1 / 3))
    turn = create_turned_axes(np.array([np.pi / 6]))[0]
    expected = 0.5 * (turn @ np.diag(STRAINS) @ turn.T)
    found = strain.eval(domain.mesh, cells).reshape(-1, 3, 3)[:, :2, :2]
    np.testing.assert_allclose(found, np.broadcast_to(expected[:2, :2], found.shape), atol=1e-12)
    assert model.problem.parameters["elasticity.rich.c44"] == 10e9
    composition.x.array[:] = 2.1
    with pytest.raises(InputError, match=r"no stable solid at the composition 2\.1"):
        model.solve()
