"""Homogeneous states with closed forms: tension, films, rollers, free expansion, rigid motions."""

import numpy as np
import pytest
import ufl
from dolfinx import default_scalar_type, fem

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.problems.conditions import Displacement, Loads, Traction
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.presets import Preset

PLANE = ("plane_strain", "plane_stress", "generalised_plane_strain")
ALL = (*PLANE, "three_dimensional")


@pytest.fixture
def body(comm):
    """Return a function for a small box, 3-D only where the assumption is."""

    def create(assumption, cell="auto"):
        lengths = (40e-9, 20e-9, 20e-9) if assumption == "three_dimensional" else (40e-9, 20e-9)
        return create_domain(Box(lengths), 10e-9, comm, cell)

    return create


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", ALL)
def test_free_bar_under_tension(assumption, body, solid, solve, largest):
    """Tractions on both ends, no support: Hooke's law, whatever the third direction does."""
    domain, pull = body(assumption), 100.0
    young, nu = solid.young, solid.poisson
    along = (pull, 0.0, 0.0)[: domain.mesh.geometry.dim]
    against = tuple(-t for t in along)
    loads = Loads(tractions=(Traction("right", along), Traction("left", against)))
    problem = solve(StaticStress(domain, solid.mechanics(assumption), ufl.as_ufl(0.0), loads))
    strain, stress = np.zeros((3, 3)), np.zeros((3, 3))
    stress[0, 0] = pull
    if assumption == "plane_strain":
        stress[2, 2] = nu * pull
    strain[0, 0] = (stress[0, 0] - nu * stress[2, 2]) / young
    strain[1, 1] = -nu * (stress[0, 0] + stress[2, 2]) / young
    if assumption in ("generalised_plane_strain", "three_dimensional"):
        strain[2, 2] = -nu * pull / young
    tolerance = 1e-7 * pull
    for found, exact, allowed in (
        (problem.stress(), stress, tolerance),
        (problem.strain(), strain, tolerance / young),
    ):
        assert largest(found, domain.mesh, exact) < allowed


@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
def test_thin_film_on_a_rigid_substrate(cell, body, solid, solve, largest):
    """sigma = -E eta dc / (1 - nu) in the plane of the film, nothing across it."""
    expansion = 2.415e-6 * 18500 / 3
    domain = body("three_dimensional", cell)
    held = Loads(supports=[Roller(g) for g in ("left", "right", "bottom", "top", "back")])
    c = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)))
    problem = StaticStress(domain, solid.mechanics("three_dimensional", expansion), c, held)
    for change, stress in ((0.1, -91.5), (0.2, -183.0), (0.3, -274.0), (1.0, -914.8)):
        c.x.array[:] = change
        biaxial = -solid.young * expansion * change / (1 - solid.poisson)
        assert biaxial == pytest.approx(stress, rel=0.002)
        solve(problem)
        exact = np.diag([biaxial, biaxial, 0.0])
        assert largest(problem.stress(), domain.mesh, exact) < 1e-7 * abs(stress)


def test_rollers_in_plane_strain_make_the_same_film(body, solid, solve, largest):
    domain, change = body("plane_strain"), 1e-3
    held = Loads(supports=[Roller(group) for group in ("left", "right", "bottom")])
    problem = solve(StaticStress(domain, solid.mechanics("plane_strain"), ufl.as_ufl(change), held))
    biaxial = -solid.young * change / (1 - solid.poisson)
    exact = np.diag([biaxial, 0.0, biaxial])
    assert largest(problem.stress(), domain.mesh, exact) < 1e-7 * abs(biaxial)


@pytest.mark.parametrize("assumption", ALL)
def test_prescribed_displacement_of_a_confined_bar(assumption, body, solid, solve, largest):
    """u = (d x / L, 0): rollers along the sides, one end clamped, the other moved."""
    domain, moved, length = body(assumption), 0.2, 40.0
    dimension = domain.mesh.geometry.dim
    sides = ("bottom", "top", "back", "front")[: 2 * dimension - 2]
    supports = [
        Displacement("left"),
        Displacement("right", (moved, 0.0, 0.0)[:dimension]),
        *(Roller(side) for side in sides),
    ]
    problem = solve(
        StaticStress(domain, solid.mechanics(assumption), ufl.as_ufl(0.0), Loads(supports=supports))
    )
    young, nu, strain = solid.young, solid.poisson, moved / length
    lame, shear = young * nu / ((1 + nu) * (1 - 2 * nu)), young / (2 * (1 + nu))
    if assumption in ("plane_strain", "three_dimensional"):
        diagonal = (lame + 2 * shear, lame, lame)
    else:
        diagonal = (young / (1 - nu**2), nu * young / (1 - nu**2), 0)
    exact = strain * np.diag(diagonal)
    assert largest(problem.stress(), domain.mesh, exact) < 1e-7 * young * strain


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
@pytest.mark.parametrize("assumption", PLANE)
def test_uniform_composition_leaves_a_free_body_without_stress(
    assumption, cell, body, solid, solve, largest
):
    """But for sigma_zz = -E e in plane strain."""
    domain, change = body(assumption, cell), 2e-3
    problem = solve(StaticStress(domain, solid.mechanics(assumption), ufl.as_ufl(change)))
    axial = -solid.young * change if assumption == "plane_strain" else 0
    exact = np.diag([0.0, 0.0, axial])
    assert largest(problem.stress(), domain.mesh, exact) < 1e-7 * solid.young * change


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("assumption", ["plane_stress", "generalised_plane_strain"])
def test_free_body_is_stressed_as_on_isostatic_supports(
    assumption, body, solid, solve, largest, comm
):
    """What holds a body without straining it changes the rigid part of its motion only."""
    domain = body(assumption)
    x = ufl.SpatialCoordinate(domain.mesh)
    c = 1e-3 * ufl.sin(x[0] / 9) * ufl.cos(x[1] / 5)
    free = solve(StaticStress(domain, solid.mechanics(assumption), c))
    held = StaticStress(domain, solid.mechanics(assumption), c)
    held.solid.conditions.extend(isostatic_supports(held.u.function_space))
    solve(held)
    assert not held.solid.operator.find_free_motions()
    scale = largest(free.stress(), domain.mesh)
    assert scale > 1.0
    assert largest(free.stress() - held.stress(), domain.mesh) < 1e-6 * scale
    modes = np.array(free.solid.operator.find_free_motions())
    assert len(modes) == 3
    u = free.u.x.array[: modes.shape[1]]
    overlap = comm.allreduce(modes @ u)
    assert np.linalg.norm(overlap) < 1e-8 * np.sqrt(comm.allreduce(u @ u))


def isostatic_supports(space):
    """Both components held at one corner of the box, the vertical one at its neighbour."""
    zero = default_scalar_type(0.0)
    conditions = []
    for corner, components in (((0.0, 0.0), (0, 1)), ((40.0, 0.0), (1,))):
        for component in components:
            subspace = space.sub(component)
            dofs = fem.locate_dofs_geometrical(
                (subspace, subspace.collapse()[0]),
                lambda x, corner=corner: np.isclose(x[0], corner[0]) & np.isclose(x[1], corner[1]),
            )
            conditions.append(fem.dirichletbc(zero, dofs[0], subspace))
    return conditions
