"""Report how each number of a measurement came about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from chemomech import config as cfg
from chemomech.mapping.analysis import Analysis
from chemomech.mapping.measurement_checks import find_impossible_share

Report = Mapping[str, Mapping[str, object]]
"""Figures by step of the chain and by name; units are part of the names."""


def create_report(config: cfg.MeasurementConfig, analysis: Analysis) -> Report:
    """Gather the figures by which a measurement is judged."""
    found = analysis.measurement
    report: dict[str, Mapping[str, object]] = {
        "stack": _describe_stack(config, analysis),
        "alignment": {
            "enabled": config.alignment.enabled,
            "rounds": analysis.rounds,
            "largest_shift_pixels": float(np.abs(found.shifts).max()),
            "columns_and_rows_lost": [
                before - after
                for before, after in zip(
                    analysis.view.shape[::-1], found.composition.grid.shape[::-1], strict=True
                )
            ],
        },
        "optical_density": {
            "incident": analysis.incident_source,
            "largest_I0": float(found.incident.max()),
            "smallest_I0": float(found.incident.min()),
            "invalid_pixels": int((~analysis.density.valid).sum()),
        },
        "outline": {
            "level": config.outline.level,
            "particles": len(analysis.outlines),
            "areas_um2": [round(outline.area * 1e12, 6) for outline in analysis.outlines],
            "pixels": int(found.particle.sum()),
        },
        "pca": {
            "kind": "about the " + ("mean" if config.pca.centred else "origin"),
            "normalised": config.pca.normalised,
            "share_of_variance": _round(
                found.decomposition.variances / found.decomposition.scree.sum()
            ),
        },
        "clusters": {
            "seed": config.clusters.seed,
            "sizes_pixels": found.clusters.sizes.tolist(),
            "area_normalised": config.clusters.area_normalise,
        },
        "end_members": {
            name: {"lithium": float(x), "spectrum": source}
            for name, x, source in zip(
                found.end_members.names,
                found.end_members.lithium,
                found.end_members.sources,
                strict=True,
            )
        },
        "unmixing": {
            "method": found.maps.method,
            "baseline": [name for name in ("constant", "linear") if getattr(config.unmixing, name)],
            "condition_number": found.maps.condition,
            "rms_residual_OD": found.maps.rms_residual,
            "relative_residual": found.maps.relative_residual,
        },
        "composition": _describe_composition(analysis),
    }
    return report | {"doubts": analysis.doubts} if analysis.doubts else report


def format_report(report: Report) -> str:
    """Write a report as lines of text, a paragraph for each step."""
    lines = []
    for step, figures in report.items():
        lines.append(step.replace("_", " "))
        lines += [
            f"  {name.replace('_', ' '):24} {_format(value)}" for name, value in figures.items()
        ]
    return "\n".join(lines)


def _describe_stack(config: cfg.MeasurementConfig, analysis: Analysis) -> Mapping[str, object]:
    energies = analysis.measurement.energies
    with config.stack.file.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    rows, columns = analysis.view.shape
    figures: dict[str, object] = {
        "file": config.stack.file.name,
        "read_as": analysis.source,
        "sha256": digest.hexdigest(),
        "energies": len(energies),
        "lowest_eV": float(energies[0]),
        "highest_eV": float(energies[-1]),
        "columns_x_rows": f"{columns} x {rows}",
        "pixel_nm": round(analysis.density.grid.pixel_size * 1e9, 6),
    }
    if config.stack.leave_out:
        figures["left_out"] = [
            f"{frame:g} eV" if isinstance(frame, float) else f"number {frame}"
            for frame in config.stack.leave_out
        ]
    return figures


def _describe_composition(analysis: Analysis) -> Mapping[str, object]:
    composition = analysis.measurement.composition
    trusted = composition.values[composition.trusted]
    figures: dict[str, object] = {
        "reading": composition.reading,
        "trusted_pixels": int(composition.trusted.sum()),
        "mean_x": float(trusted.mean()),
        "range_x": _round([trusted.min(), trusted.max()]),
        "share_outside": find_impossible_share(composition, analysis.measurement.end_members),
        "p5_to_p95_x": _round(np.percentile(trusted, [5, 95])),
        "median_uncertainty_x": float(np.median(composition.uncertainty[composition.trusted])),
    }
    thickness = analysis.measurement.thickness
    if thickness is not None:
        figures["median_thickness_nm"] = float(np.nanmedian(thickness)) * 1e9
    return figures


def _round(values: npt.ArrayLike) -> list[float]:
    return [float(f"{value:.6g}") for value in np.asarray(values).tolist()]


def _format(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_format, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_format(each)}" for name, each in value.items())
    return str(value)
