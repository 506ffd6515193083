"""Run `chemomech measure`: analyse a stack, write records and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mpi4py import MPI

from chemomech import config as cfg
from chemomech.config import format_config, write_config
from chemomech.errors import run_on_root
from chemomech.geometry.files.geojson import write_outlines_geojson
from chemomech.imaging.measurement import write_measurement
from chemomech.imaging.spectra import write_spectra
from chemomech.mapping.analysis import Analysis, analyse
from chemomech.mapping.measurement_illustration import draw_measurement
from chemomech.mapping.measurement_report import Report, create_report, format_report
from chemomech.mapping.stress_source import OUTLINES
from chemomech.output.file_names import CONFIG
from chemomech.output.folder import RunFolder
from chemomech.output.folder_lock import FolderLock
from chemomech.output.provenance import PROVENANCE, collect_provenance, write_provenance

_RESULT = "measurement.h5"
"""Name of the file that holds what was measured."""

_NAMES = (_RESULT, OUTLINES, "spectra.csv", "report.json")


def measure(config: cfg.MeasurementConfig, output: Path, comm: MPI.Comm) -> str:
    """Measure composition and outlines and leave them in a new folder; collective.

    Images are small next to simulations: rank 0 does the work, and the others wait.

    Args:
        config: The configuration.
        output: Folder to create; refused if it holds anything.
        comm: Ranks of the run.

    Returns:
        The figures of each step as a table.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        OSError: A file cannot be written.
    """
    with FolderLock(output, comm, is_new=True):
        analysis = analyse_on_root(config, comm)
        return write_analysis(config, analysis, RunFolder.create(output, comm))


def analyse_on_root(config: cfg.MeasurementConfig, comm: MPI.Comm) -> Analysis | None:
    """Analyse a stack on rank 0, which keeps the result; collective."""
    analysis: Analysis | None = None

    def work() -> None:
        nonlocal analysis
        analysis = analyse(config)

    run_on_root(comm, work)
    return analysis


def write_analysis(
    config: cfg.MeasurementConfig, analysis: Analysis | None, folder: RunFolder
) -> str:
    """Write all records and pictures of an analysis, looked at on rank 0 alone; collective.

    The figures of each step are returned as a table in text.
    """
    comm = folder.comm
    run_on_root(comm, lambda: write_config(config, folder.path / CONFIG))
    provenance = collect_provenance(comm, format_config(config))
    write_provenance(folder.path / PROVENANCE, provenance, comm)

    def write() -> Report:
        assert analysis is not None
        report = create_report(config, analysis)
        _write_files(analysis, report, {name: folder.partial(name) for name in _NAMES})
        return report

    report = run_on_root(comm, write)
    for name in _NAMES:
        folder.finish(name)
    # On record before anything is drawn: a picture that fails does not unmake the rest.
    write_provenance(folder.path / PROVENANCE, provenance, comm, "measured")
    if config.output.pictures:
        found = None if analysis is None else analysis.measurement
        draw_measurement(found, () if analysis is None else analysis.outlines, folder)
    return format_report(report)


def _write_files(analysis: Analysis, report: Report, paths: Mapping[str, Path]) -> None:
    found = analysis.measurement
    text = json.dumps(report, indent=2) + "\n"
    write_measurement(paths[_RESULT], found, text)
    write_outlines_geojson(paths[OUTLINES], analysis.outlines)
    paths["report.json"].write_text(text, encoding="utf-8")
    spectra = {f"cluster {i + 1}": each for i, each in enumerate(found.clusters.spectra)}
    spectra |= {
        f"end member {name}": each
        for name, each in zip(found.end_members.names, found.end_members.spectra, strict=True)
    }
    write_spectra(paths["spectra.csv"], found.energies, spectra)
