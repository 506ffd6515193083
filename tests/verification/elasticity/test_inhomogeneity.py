"""Inclusions softer or stiffer than the matrix: by composition, C(c), or by group of cells.

An eigenstrain e* I inside only, in an infinite matrix (Eshelby): the stress inside is uniform.
"""

import gmsh
import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.forms.energy import Mechanics
from chemomech.geometry.distribution import distribute
from chemomech.geometry.gmsh_session import GmshSession, extract_arrays
from chemomech.geometry.measures import compile_integral
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.problems.conditions import Loads, Roller
from chemomech.problems.grading import create_factor_by_group
from chemomech.problems.static_stress import StaticStress

MISFIT, CORE = 1e-3, 20.0
UNITS = ("", "MPa", "MPa")
#: E inside: strain over e*, s_rr and s_zz in MPa.
CYLINDER = {
    86e3: (1.0833333, -35.8333, -107.5),
    43e3: (0.9285714, -30.7143, -61.4286),
    21.5e3: (0.7222222, -23.8889, -35.8333),
}
#: E inside: strain over e*, mean stress in MPa.
SPHERE = {
    86e3: (0.7647059, -50.5882),
    43e3: (0.6190476, -40.9524),
    21.5e3: (0.4482759, -29.6552),
}


def create_elasticity(young, solid, assumption):
    stiffness = create_isotropic_stiffness(young, solid.poisson)
    return Elasticity(stiffness, Assumption(assumption))


@pytest.fixture
def measure(comm, solve):
    """Return a function for the mean strain over e*, and stresses, where c is one."""

    def create(problem, c):
        mesh = problem.domain.mesh
        strain, stress = problem.strain(), problem.stress()
        means = ufl.as_vector([strain[0, 0] / MISFIT, stress[0, 0], stress[2, 2], 1.0])
        chosen = fem.Constant(mesh, np.zeros(4))
        total = compile_integral(ufl.dot(chosen, means) * c * problem.domain.dx(2), comm)

        def find():
            solve(problem)
            found = []
            for one in np.eye(4):
                chosen.value = one
                found.append(total())
            return np.array(found[:3]) / found[3]

        return find

    return create


def test_cylinder_in_plane_strain(solid, quarter_disc, mark, measure, verify):
    domain = quarter_disc(CORE, 40 * CORE, 3.0, 120.0)
    c, young = mark(domain.mesh, CORE), fem.Constant(domain.mesh, 1.0)
    both = [create_elasticity(e, solid, "plane_strain") for e in (solid.young, young)]
    law = Mechanics(MixedElasticity(*both), Eigenstrain.isotropic(MISFIT, 0.0))
    mirrors = Loads((Roller("x_axis"), Roller("y_axis")))
    find = measure(StaticStress(domain, law, c, mirrors, 2), c)
    for young.value, expected in CYLINDER.items():
        name = f"in a cylinder of {young.value / 1e3:g} GPa in 43 GPa"
        names = (f"strain over e* {name}", f"radial stress {name}", f"axial stress {name}")
        for what, unit, mean, value in zip(names, UNITS, find(), expected, strict=True):
            verify(what, mean, value, unit, rel=0.005, against="Eshelby")


@pytest.fixture(scope="module")
def eighth_ball(comm):
    """An eighth of a ball of ten core radii, fine at the core; its flat sides x, y and z."""

    def arrays():
        with GmshSession("eighth_ball"):
            occ, quarter = gmsh.model.occ, np.pi / 2
            core, ball = (
                occ.addSphere(0, 0, 0, radius, angle1=0, angle2=quarter, angle3=quarter)
                for radius in (CORE, 10 * CORE)
            )
            _, ([(_, core)], _) = occ.fragment([(3, core)], [(3, ball)])
            occ.synchronize()
            box = gmsh.model.getEntitiesInBoundingBox
            gmsh.model.mesh.setSize(gmsh.model.getEntities(0), 80.0)
            gmsh.model.mesh.setSize(box(-1, -1, -1, *[CORE + 1] * 3, 0), 6.0)
            sides = {}
            for axis, name in enumerate("xyz"):
                upper = np.full(3, 10 * CORE + 1)
                upper[axis] = 1e-3
                sides[name] = [tag for _, tag in box(-1, -1, -1, *upper, 2)]
            gmsh.model.mesh.generate(3)
            return extract_arrays(3, sides, {"core": [core]})

    return distribute(comm, arrays)


@pytest.mark.slow
def test_sphere(solid, eighth_ball, measure, verify):
    c = create_factor_by_group({"core": 2.0}, eighth_ball) - 1.0
    young = fem.Constant(eighth_ball.mesh, 1.0)
    graded = solid.young + (young - solid.young) * c
    elasticity = create_elasticity(graded, solid, "three_dimensional")
    law = Mechanics(elasticity, Eigenstrain.isotropic(MISFIT, 0.0))
    mirrors = Loads(tuple(map(Roller, "xyz")))
    find = measure(StaticStress(eighth_ball, law, c, mirrors, 2), c)
    for young.value, (strain, pressure) in SPHERE.items():
        name = f"in a sphere of {young.value / 1e3:g} GPa in 43 GPa"
        names = (f"strain over e* {name}", f"stress along x {name}", f"stress along z {name}")
        expected = (strain, pressure, pressure)
        for what, unit, mean, value in zip(names, UNITS, find(), expected, strict=True):
            verify(what, mean, value, unit, rel=0.005, against="Eshelby")
