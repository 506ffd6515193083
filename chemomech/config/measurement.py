"""The file of `chemomech measure`: from a microscope stack to a map of composition."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chemomech.config.base import (
    Choice,
    Count,
    ExistingFile,
    Flag,
    InteriorFraction,
    Name,
    NonNegative,
    Number,
    Positive,
    Section,
    SectionError,
    Seed,
)
from chemomech.units import NonNegativeLength, PhotonEnergy, PositiveLength

Region = Annotated[tuple[tuple[Number, Number], ...], Field(min_length=3)]


class EnergyWindow(Section):
    """A range of photon energies, both ends included."""

    lowest: PhotonEnergy = Field(description="lower end")
    highest: PhotonEnergy = Field(description="upper end")

    def _check(self) -> None:
        if self.lowest >= self.highest:
            raise SectionError("highest", "must be greater than lowest")


class StackConfig(Section):
    """The stack of images."""

    file: ExistingFile = Field(description=".hdr, .hdf5/.h5/.nxs, .ncb, .tif/.tiff or .npz")
    scan_region: Count = Field(default=1, description="which region of a scan with several")
    channel: Count | Name | None = Field(
        default=None, description="detector channel, by number or name; the first"
    )
    energies: ExistingFile | None = Field(
        default=None, description="list of photon energies (eV); TIFF only"
    )
    pixel_size: PositiveLength | None = Field(
        default=None, description="edge of one pixel; for files that do not state it"
    )
    leave_out: tuple[Count | PhotonEnergy, ...] = Field(
        default=(), description="frames not used: numbers from 1 as scanned, or photon energies"
    )


class AlignmentConfig(Section):
    """Registration of the frames."""

    enabled: Flag = Field(default=True, description="whether the frames are moved at all")
    max_iterations: Annotated[Count, Field(le=100)] = Field(
        default=8, description="rounds against the mean of the aligned frames"
    )
    tolerance: Positive = Field(
        default=0.01, description="change of the shifts that ends the rounds, in pixels"
    )
    max_shift: Positive | None = Field(
        default=None, description="largest shift believed, in pixels; a quarter of the image"
    )


class OpticalDensityConfig(Section):
    """Source of I0, and limits of the counts that are used."""

    # Which one is needed, ``incident`` says.
    choices = (Choice(("file", "mask", "region"), least=0, most=3),)

    incident: Literal["auto", "stored", "brightest", "file", "mask", "region"] = Field(
        default="auto",
        description="auto: stored, or else the brightest pixels; or a spectrum, mask or polygon",
    )
    file: ExistingFile | None = Field(default=None, description="spectrum of I0 (eV, counts)")
    mask: ExistingFile | None = Field(default=None, description="image that marks empty pixels")
    region: Region | None = Field(
        default=None, description="polygon [[column, row], ...] of empty pixels"
    )
    dark: NonNegative = Field(default=0.0, description="counts without light, subtracted first")
    saturation: Positive | None = Field(
        default=None, description="counts at which the detector saturates"
    )

    def _check(self) -> None:
        for key in ("file", "mask", "region"):
            stated = getattr(self, key) is not None
            if stated and self.incident != key:
                raise SectionError(key, f'has no meaning unless incident = "{key}"')
            if not stated and self.incident == key:
                raise SectionError(key, f'is missing; incident = "{key}" needs it')


class OutlineTraceConfig(Section):
    """Threshold, region and simplification of particles' outlines."""

    level: Literal["half_transmission", "otsu"] | InteriorFraction = Field(
        default="half_transmission", description="threshold: a rule, or a fraction of the plateau"
    )
    energies: EnergyWindow | None = Field(
        default=None, description="photon energies whose mean density is outlined; all"
    )
    region: Region | None = Field(
        default=None, description="polygon [[column, row], ...] to look in"
    )
    simplify: NonNegative = Field(
        default=0.1, description="largest deviation of the simplified curve, in pixels"
    )


class _PcaConfig(Section):
    """Principal components of the spectra of all pixels."""

    components: Annotated[Count, Field(le=50)] = Field(default=6, description="how many are kept")
    centred: Flag = Field(default=False, description="subtract the mean spectrum first")
    normalised: Flag = Field(default=False, description="scale the spectra first")


class ClustersConfig(Section):
    """Groups of pixels with like spectra, by k-means."""

    number: Annotated[Count, Field(ge=2, le=20)] = Field(default=2, description="how many")
    seed: Seed = Field(default=0, description="seed of the random starts")
    restarts: Annotated[Count, Field(le=1000)] = Field(
        default=10, description="random starts, of which the best is kept"
    )
    skip_first: Flag = Field(
        default=False, description="leave out the first component (thickness correction)"
    )
    erosion: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        default=1, description="pixels peeled off the particle's edge first"
    )
    pre_edge: EnergyWindow | None = Field(
        default=None, description="photon energies below the edge, whose mean is subtracted"
    )
    area_normalise: Flag = Field(default=True, description="scale spectra to the same area")


class EndMemberConfig(Section):
    """A pure phase: its lithium content and its spectrum."""

    choices = (Choice(("cluster", "file")),)

    name: Name = Field(description="what pictures and files call it")
    lithium: NonNegative = Field(description="x of LixV2O5 or the like")
    cluster: Count | None = Field(
        default=None, description="take the mean spectrum of this cluster (counted from 1)"
    )
    file: ExistingFile | None = Field(default=None, description="or a spectrum from a file")
    column: Count = Field(default=1, description="which spectrum of the file")
    thickness: PositiveLength | None = Field(
        default=None, description="thickness the spectrum belongs to; gives thickness maps in m"
    )

    def _check(self) -> None:
        if self.file is None and self.column != 1:
            raise SectionError("column", "has no meaning without a file")


class _UnmixingConfig(Section):
    """Unmixing of each pixel's spectrum (eqn 7)."""

    method: Literal["plain", "non_negative", "weighted"] = Field(
        default="plain", description="least squares; without negative amounts; weighted by noise"
    )
    constant: Flag = Field(default=True, description="allow a constant baseline")
    linear: Flag = Field(default=False, description="allow a baseline linear in energy")


class _CompositionConfig(Section):
    """Composition from the amounts (eqn 8)."""

    reading: Literal["normalised", "as_printed"] = Field(
        default="normalised", description="sum t x / sum t, or sum t x as the paper prints it"
    )
    min_amount: NonNegative = Field(
        default=0.2, description="share of the median amount below which a pixel is not trusted"
    )


class TreatmentConfig(Section):
    """Smoothing and erosion of a map of pixels before it is interpolated on the mesh."""

    erosion: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        default=1, description="pixels peeled off the trusted part, then filled from within"
    )
    smoothing: NonNegativeLength = Field(
        default=0.0, description="standard deviation of a Gaussian filter within the trusted part"
    )


class _MeasurementOutputConfig(Section):
    """Files to write."""

    pictures: Flag = Field(default=True, description="write pictures")


class MeasurementConfig(Section):
    """A measurement, as a TOML file states it; lengths in m, photon energies in eV."""

    stack: StackConfig
    alignment: AlignmentConfig = Field(default_factory=AlignmentConfig)
    optical_density: OpticalDensityConfig = Field(default_factory=OpticalDensityConfig)
    outline: OutlineTraceConfig = Field(default_factory=OutlineTraceConfig)
    pca: _PcaConfig = Field(default_factory=_PcaConfig)
    clusters: ClustersConfig = Field(default_factory=ClustersConfig)
    end_member: Annotated[tuple[EndMemberConfig, ...], Field(min_length=2)]
    unmixing: _UnmixingConfig = Field(default_factory=_UnmixingConfig)
    composition: _CompositionConfig = Field(default_factory=_CompositionConfig)
    output: _MeasurementOutputConfig = Field(default_factory=_MeasurementOutputConfig)

    def _check(self) -> None:
        self._check_end_members()
        self._check_clusters()

    def _check_end_members(self) -> None:
        names = [member.name for member in self.end_member]
        thicknesses = [member.thickness for member in self.end_member]
        for index, member in enumerate(self.end_member):
            if member.name in names[:index]:
                raise SectionError(f"end_member.{index}.name", f"{member.name!r} is used already")
            if member.cluster is not None and member.cluster > self.clusters.number:
                raise SectionError(
                    f"end_member.{index}.cluster",
                    f"there are {self.clusters.number} clusters only, not {member.cluster}",
                )
            if (member.thickness is None) != (thicknesses[0] is None):
                raise SectionError(
                    f"end_member.{index}.thickness", "state it for all end members or for none"
                )

    def _check_clusters(self) -> None:
        left = self.pca.components - self.clusters.skip_first
        if left < 1:
            raise SectionError("clusters.skip_first", "leaves no component; raise pca.components")
