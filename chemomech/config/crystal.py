"""The tables [[crystal]]: how the crystal lies, grain by grain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from chemomech.config.base import Choice, Name, Number, Section, SectionError
from chemomech.errors import InputError
from chemomech.materials.orientation import create_axes_from_two
from chemomech.units import Angle

_Direction = Annotated[tuple[Number, ...], Field(min_length=2, max_length=3)]


class CrystalConfig(Section):
    """Axes of the crystal, to which laws with frame = "crystal" refer."""

    choices = (Choice(("euler_angles", "axes", "formula")),)

    cells: Name | None = Field(
        default=None, description="group of cells, a grain; all that no other table names"
    )
    euler_angles: tuple[Angle, Angle, Angle] | None = Field(
        default=None,
        description="Bunge's phi1, Phi, phi2: turns about z, the new x and the new z; in the plane "
        '["30 deg", "0 deg", "0 deg"]',
    )
    axes: tuple[_Direction, _Direction] | None = Field(
        default=None,
        description="directions of the first and second axis in x, y and z, of any length",
    )
    formula: Name | None = Field(
        default=None,
        description="turn about z in degrees, by place: in x, y, z and, in a nanowire, along and "
        "across (nm)",
    )

    def _check(self) -> None:
        if self.axes is not None:
            try:
                create_axes_from_two(*self.axes)
            except InputError as error:
                raise SectionError("axes", error.message) from error


def check_crystal(crystal: Sequence[CrystalConfig], frames: Mapping[str, str | None]) -> None:
    """Refuse axes that no law refers to, laws whose axes are not stated, and grains stated twice.

    Args:
        crystal: Tables ``[[crystal]]``.
        frames: Axes that laws refer to, by the dotted keys that say so.

    Raises:
        SectionError: Under the key at fault.
    """
    for key, frame in frames.items():
        if frame == "crystal" and not crystal:
            raise SectionError(key, "needs the crystal's axes: state how it lies in [[crystal]]")
    if crystal and "crystal" not in frames.values():
        raise SectionError("crystal", 'has no meaning without a law with frame = "crystal"')
    grains = [table.cells for table in crystal]
    for index, grain in enumerate(grains):
        if grain in grains[:index]:
            what = (
                "is missing: only one table [[crystal]] may stand for all that no other names"
                if grain is None
                else f"{grain!r} has an orientation already"
            )
            raise SectionError(f"crystal.{index}.cells", what)
