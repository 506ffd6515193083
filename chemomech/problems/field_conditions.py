"""Essential conditions on the fields of a model, by the fields' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import ufl
from dolfinx import default_scalar_type, fem, la
from ufl.core.expr import Expr

from chemomech.errors import InputError, suggest
from chemomech.fenicsx import get_interpolation_points
from chemomech.forms.fields import Elastic, Evolution, Field, find_given_up, find_owned_dofs
from chemomech.geometry.domain import Domain
from chemomech.materials.scalars import Scalar, evaluate


@dataclass(frozen=True)
class DirichletCondition:
    """x = value on a group of facets, for one field x of a model.

    A composition held is a reservoir that gives and takes what keeps it; so is a chemical potential
    held. Either way the flux through the group is free, and counted in what is released, as exactly
    as Newton's method solves: reactions on that group have no effect. Where groups meet, the
    condition of the later field holds, so a potential rather than its composition. Displacements
    are held by `Loads`.

    The initial state takes the values held. After one has jumped in the middle of a run its stepper
    must begin anew (`Bdf.reset_history`); what the jump itself brings in is not counted.

    Args:
        field: Name of the field, such as ``c``, ``mu`` or that of a process's field.
        group: Facet group.
        value: In the units of the model's equations: a number; a `dolfinx.fem.Constant` or a
            parameter, which may be changed between steps; or a UFL expression of them, of fields
            that are no unknowns, and of the position. It is read before each solve.
    """

    field: str
    group: str
    value: Scalar


def hold_fields(
    fields: Sequence[Field], domain: Domain, conditions: Sequence[DirichletCondition]
) -> list[Field]:
    """Return the fields with further conditions; what passes where they hold is released.

    Raises:
        InputError: There is no such field or group, the field cannot be held by its values on a
            boundary, or the value does not suit it.
    """
    held = {field.name: field for field in fields}
    for condition in conditions:
        field = _find(held, condition.field)
        held[field.name] = _hold(field, domain, condition)
    result = list(held.values())
    return [_count_release(result, index) for index in range(len(result))] if conditions else result


def _find(fields: dict[str, Field], name: str) -> Field:
    if name not in fields:
        known = ", ".join(fields)
        raise InputError(f"no field {name!r} to hold{suggest(name, fields)} (there are: {known})")
    field = fields[name]
    if isinstance(field.operator, Elastic):
        raise InputError(f"{name!r} is a displacement: the supports of Loads hold it")
    if field.is_uniform:
        raise InputError(f"{name!r} is one value for the whole mesh, which no boundary holds")
    return field


def _hold(field: Field, domain: Domain, condition: DirichletCondition) -> Field:
    space = field.function.function_space
    value = ufl.as_ufl(condition.value)
    what = f"the value of {field.name!r} on group {condition.group!r}"
    if value.ufl_shape != field.function.ufl_shape:
        raise InputError(f"{what} needs the shape {field.function.ufl_shape}")
    if not value.ufl_shape and (number := evaluate(value)) is not None:
        lower, upper = field.bounds
        if not lower < number < upper:
            raise InputError(f"{what} must lie between {lower:g} and {upper:g}, got {number:g}")
    dimension = domain.mesh.topology.dim - 1
    dofs = fem.locate_dofs_topological(space, dimension, domain.facets(condition.group))
    if not isinstance(condition.value, Expr):
        value = fem.Constant(domain.mesh, default_scalar_type(condition.value))
    if isinstance(value, fem.Constant):
        bc = fem.dirichletbc(value, dofs, space)
        return replace(field, conditions=[*field.conditions, bc])
    values = fem.Function(space)
    expression = fem.Expression(value, get_interpolation_points(space))

    def update() -> None:
        field.update_conditions()
        values.interpolate(expression)

    conditions = [*field.conditions, fem.dirichletbc(values, dofs)]
    return replace(field, conditions=conditions, update_conditions=update)


def _count_release(fields: Sequence[Field], index: int) -> Field:
    """A field whose outflow counts what passes where conditions hold.

    What is left over of its equation there, tested with the functions of the held dofs, is what
    they let in: summed over all dofs the equation is the balance of what the field conserves.
    """
    field = fields[index]
    given_up = find_given_up(fields, index)
    if field.evolution is None or not given_up:
        return field
    space = field.function.function_space
    rows = np.unique(np.concatenate([find_owned_dofs(space, one) for _, one in given_up]))
    residual = fem.form(field.residual)
    local = la.vector(space.dofmap.index_map, space.dofmap.index_map_bs)
    through_surface = field.evolution.outflow

    def outflow() -> float:
        local.array[:] = 0.0
        fem.assemble_vector(local.array, residual)
        local.scatter_reverse(la.InsertMode.add)
        inflow = space.mesh.comm.allreduce(float(local.array[rows].sum()))
        return through_surface() - inflow

    evolution = Evolution(field.evolution.history, field.evolution.mean_square, outflow)
    return replace(field, evolution=evolution)
