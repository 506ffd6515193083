"""The tables [geometry] and [mesh]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from chemomech.config.base import (
    Choice,
    Count,
    ExistingFile,
    Flag,
    Fraction,
    Number,
    Section,
    SectionError,
)
from chemomech.geometry.box import SIDES
from chemomech.units import BendAngle, NonNegativeLength, PositiveLength

Cell = Literal["auto", "quadrilateral", "triangle", "hexahedron", "tetrahedron"]
_IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".npy")
_OUTLINES = (".geojson", ".json")


def _pair(value: object) -> object:
    """Let one length stand for both legs."""
    return value if isinstance(value, (list, tuple)) else [value, value]


class NanowireConfig(Section):
    """A bent wire of rectangular section: leg, arc, leg."""

    kind: Literal["nanowire"] = "nanowire"
    width: PositiveLength = Field(description="width of the wire in the plane of the bend")
    bend_angle: BendAngle = Field(default=0.0, description="0 (straight) to 180 deg (U)")
    bend_radius: PositiveLength | None = Field(
        default=None, description="radius of the mid-line; needed unless bend_angle is 0"
    )
    legs: Annotated[tuple[NonNegativeLength, NonNegativeLength], BeforeValidator(_pair)] = Field(
        description="lengths of the straight parts at start and end, or one for both"
    )
    thickness: PositiveLength | None = Field(
        default=None, description="extent across the plane of the bend; makes the model 3-D"
    )

    @property
    def dimension(self) -> int:
        """Number of space dimensions."""
        return 2 if self.thickness is None else 3

    @property
    def extents(self) -> tuple[float, ...]:
        """Edge lengths (m) of the straightened wire."""
        length = sum(self.legs) + self.bend_angle * (self.bend_radius or 0.0)
        return (
            (length, self.width) if self.thickness is None else (length, self.width, self.thickness)
        )

    def _check(self) -> None:
        if self.bend_angle > 0.0 and self.bend_radius is None:
            raise SectionError("bend_radius", "is missing; a bent wire needs it")
        if self.bend_radius is not None and self.bend_radius <= self.width / 2:
            raise SectionError(
                "bend_radius",
                f"{self.bend_radius:g} m is not more than half the width "
                f"({self.width / 2:g} m); the inner side would vanish",
            )
        if self.bend_angle == 0.0 and sum(self.legs) == 0.0:
            raise SectionError("legs", "a straight wire needs a leg longer than zero")


class OutlineConfig(Section):
    """A particle outlined in an image or in a GeoJSON file."""

    # Which one is needed, the file says.
    choices = (Choice(("pixel_size", "unit"), least=0, most=2),)

    kind: Literal["outline"] = "outline"
    file: ExistingFile = Field(description="GeoJSON file or grey image")
    pixel_size: PositiveLength | None = Field(
        default=None, description="edge of one pixel; images only"
    )
    unit: PositiveLength | None = Field(
        default=None, description="length of one coordinate unit; GeoJSON only"
    )
    level: Literal["half_transmission", "otsu"] | Fraction = Field(
        default="otsu", description="threshold: a rule or a brightness; images only"
    )
    region: tuple[tuple[Number, Number], ...] | None = Field(
        default=None, description="polygon [[x, y], ...] in pixels to look in; images only"
    )
    particle: Count = Field(default=1, description="which particle, by area: 1 is the largest")

    @property
    def dimension(self) -> int:
        """Number of space dimensions."""
        return 2

    @property
    def is_image(self) -> bool:
        """True if the outline is to be found in an image."""
        return self.file.suffix.lower() in _IMAGES

    def _check(self) -> None:
        suffix = self.file.suffix.lower()
        if suffix not in _IMAGES + _OUTLINES:
            known = ", ".join(_IMAGES + _OUTLINES)
            raise SectionError("file", f"{self.file.name} is none of {known}")
        needed, other = ("pixel_size", "unit") if self.is_image else ("unit", "pixel_size")
        source = "an image" if self.is_image else "a GeoJSON file"
        if getattr(self, needed) is None:
            raise SectionError(needed, f'is missing; {source} needs it, such as "35 nm"')
        if getattr(self, other) is not None:
            raise SectionError(other, f"has no meaning for {source}; use {needed}")
        if self.level != "otsu" and not self.is_image:
            raise SectionError("level", f"has no meaning for {source}")
        if self.region is not None and not self.is_image:
            raise SectionError("region", f"has no meaning for {source}")
        if self.region is not None and len(self.region) < 3:
            raise SectionError("region", "a polygon needs at least three points")


class MeshFileConfig(Section):
    """A mesh made elsewhere, with named groups of facets and cells."""

    kind: Literal["mesh"] = "mesh"
    file: ExistingFile = Field(description="file gmsh or meshio reads")
    unit: PositiveLength = Field(description='length of one coordinate unit, such as "1 nm"')

    @property
    def dimension(self) -> None:
        """Unknown until the file is read."""
        return None


class BoxConfig(Section):
    """A rectangle or a cuboid with its corner at the origin."""

    kind: Literal["box"] = "box"
    size: Annotated[tuple[PositiveLength, ...], Field(min_length=2, max_length=3)] = Field(
        description="two or three edge lengths"
    )
    periodic: tuple[Literal["x", "y", "z"], ...] = Field(
        default=(), description="axes along which the box repeats; their sides are no boundary"
    )

    @property
    def dimension(self) -> int:
        """Number of space dimensions."""
        return len(self.size)

    @property
    def extents(self) -> tuple[float, ...]:
        """Edge lengths (m)."""
        return self.size

    def check_groups(self, groups: Mapping[str, str]) -> None:
        """Refuse facet groups, by their keys, that are sides of an axis along which it repeats."""
        for key, group in groups.items():
            sides = zip("xyz", SIDES, strict=True)
            axis = next((axis for axis, names in sides if group in names), None)
            if axis in self.periodic:
                raise SectionError(
                    key, f"{group!r} is no boundary: the box repeats along {axis} (periodic)"
                )

    def _check(self) -> None:
        axes = "xyz"[: self.dimension]
        for index, name in enumerate(self.periodic):
            if name not in axes or name in self.periodic[:index]:
                raise SectionError(
                    f"periodic.{index}", f"must be one of {', '.join(axes)}, each once"
                )


GeometryConfig = Annotated[
    NanowireConfig | OutlineConfig | MeshFileConfig | BoxConfig, Field(discriminator="kind")
]


class MeshConfig(Section):
    """Size of the shape's mesh."""

    size: Literal["auto"] | PositiveLength = Field(
        default="auto", description='largest cell edge; "auto": from the interface width'
    )
    cells_per_interface: Annotated[Number, Field(ge=1.0, le=100.0)] = Field(
        default=4.0, description="cells across an interface, wanted and demanded"
    )
    cell: Cell = Field(default="auto", description="cell type; auto: the best for the shape")
    allow_coarse: Flag = Field(
        default=False, description="go on although the mesh does not resolve the interface"
    )
    allow_large: Flag = Field(
        default=False, description="go on although it may need more memory than the machine has"
    )
