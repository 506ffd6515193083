"""Values that assembled matrices hold, and whether they have changed since."""

from __future__ import annotations

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.form import Form


class HeldValues:
    """Constants and fields of a form that is assembled once; None holds nothing."""

    def __init__(self, form: Form | None) -> None:
        self._constants: list[fem.Constant] = [] if form is None else [*form.constants()]
        self._fields: list[fem.Function] = [] if form is None else [*form.coefficients()]
        self._values = self._read()

    def have_changed(self) -> bool:
        """Tell whether a value is another one than when this was last asked; collective."""
        former, self._values = self._values, self._read()
        changed = any(
            not np.array_equal(old, new) for old, new in zip(former, self._values, strict=True)
        )
        if self._fields:
            # Of constants every rank has the same.
            mesh = self._fields[0].function_space.mesh
            return bool(mesh.comm.allreduce(changed, op=MPI.LOR))
        return changed

    def _read(self) -> list[NDArray[np.float64]]:
        constants = [constant.value.copy() for constant in self._constants]
        return constants + [field.x.array.copy() for field in self._fields]
