"""The strain of bending on the mesh of a bent wire."""

from __future__ import annotations

import numpy as np
import ufl
from dolfinx import default_scalar_type, fem
from ufl.core.expr import Expr

from chemomech.geometry.domain import Domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.bending_strain import BendingStrain
from chemomech.materials.scalars import Scalar


def create_bending_strain(domain: Domain, wire: Nanowire, fraction: Scalar = 1.0) -> Expr:
    """Create the strain of `BendingStrain` for a wire that has been bent into its mesh's shape.

    Args:
        domain: The wire's mesh.
        wire: Its shape, with a bend.
        fraction: Elastic part of the bending.

    Returns:
        A 3 x 3 UFL tensor; tension positive.
    """
    mesh, unit = domain.mesh, domain.length_unit
    in_bend = fem.Function(fem.functionspace(mesh, ("DG", 0)), name="in_bend")
    in_bend.interpolate(lambda x: np.where(wire.is_in_bend(x * unit), 1.0, 0.0))
    in_bend.x.scatter_forward()

    # Constants: forms with other numbers in them would be compiled anew.
    def constant(value: object) -> fem.Constant:
        return fem.Constant(mesh, np.asarray(value, dtype=default_scalar_type))

    law = BendingStrain(
        in_bend,
        constant([x / unit for x in wire.bend_centre]),
        constant(wire.radius / unit),
        fraction,
    )
    return law.strain(ufl.SpatialCoordinate(mesh))
