r"""The elastic strain of a wire that was straight and is bent: y / (R + y) along the wire.

All fibres of a straight wire have the length of its mid-line, R per radian of the bend. Bent, the
one at the distance y from the mid-line has the length R + y per radian: relative to its bent state,
in which the mesh and so the small strain are measured, it is stretched by y / (R + y). This strain
is compatible: a free wire gets rid of it, and of all stress, by springing back. The y / R of beam
theory is the same to first order in w / R, and is not compatible.
"""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import default_scalar_type, fem
from ufl.core.expr import Expr

from chemomech.geometry.domain import Domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.scalars import Scalar


def create_bending_strain(domain: Domain, wire: Nanowire, fraction: Scalar = 1.0) -> Expr:
    """Create e = f y / (R + y) t (x) t in a circular bend in the plane of x and y, 0 in the legs.

    The wire is that of the mesh, in its bent shape; f is the part of the bending that is elastic,
    the rest is in the stress-free shape. The UFL tensor, 3 x 3, is in global axes; tension is
    positive.
    """
    mesh, unit = domain.mesh, domain.length_unit
    in_bend = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="in_bend")
    in_bend.interpolate(lambda x: np.where(wire.is_in_bend(x * unit), 1.0, 0.0))
    in_bend.x.scatter_forward()

    # Constants: forms with other numbers in them would be compiled anew.
    def constant(value: object) -> fem.Constant:
        return fem.Constant(mesh, np.asarray(value, dtype=default_scalar_type))

    centre, radius = constant([x / unit for x in wire.bend_centre]), constant(wire.radius / unit)
    x = ufl.SpatialCoordinate(mesh)
    right, up = x[0] - centre[0], x[1] - centre[1]
    distance = ufl.sqrt(right**2 + up**2)
    tangent = ufl.as_vector([-up / distance, right / distance, 0])
    return in_bend * fraction * (1 - radius / distance) * ufl.outer(tangent, tangent)
