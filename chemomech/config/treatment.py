"""The table [treatment]: smoothing and erosion of a map of pixels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chemomech.config.base import Section
from chemomech.units import NonNegativeLength


class TreatmentConfig(Section):
    """Smoothing and erosion of a map of pixels before it is interpolated on the mesh."""

    erosion: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        default=1, description="pixels peeled off the trusted part, then filled from within"
    )
    smoothing: NonNegativeLength = Field(
        default=0.0, description="standard deviation of a Gaussian filter within the trusted part"
    )
