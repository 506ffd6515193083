"""Run `chemomech stress`: from a composition to the stress it causes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mpi4py import MPI
from rich import box
from rich.table import Table

from chemomech import config as cfg
from chemomech.config import format_config, write_config
from chemomech.config.laws.user_law import list_sources
from chemomech.errors import ChemoMechError, run_on_root
from chemomech.imaging.composition import draw_sample
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.measurement import Measurement
from chemomech.mapping.analysis import Analysis
from chemomech.mapping.measure import analyse_on_root, write_analysis
from chemomech.mapping.stress_illustration import draw_stress
from chemomech.mapping.stress_model import STRESS_UNIT, StressModel, create_model, interpolate_map
from chemomech.mapping.stress_source import ImagedParticle, load_particle, pick_particle
from chemomech.materials.phases import Phase
from chemomech.output.fields import FieldWriter, name_field_file
from chemomech.output.file_names import CONFIG
from chemomech.output.folder import RunFolder
from chemomech.output.folder_lock import FolderLock
from chemomech.output.provenance import PROVENANCE, collect_provenance, write_provenance
from chemomech.output.terminal import render
from chemomech.problems.stress_fields import StressFields
from chemomech.problems.stress_regions import Regions
from chemomech.problems.stress_statistics import (
    StressBands,
    StressStatistics,
    StressTable,
    create_stress_bands,
    write_stress_bands,
    write_stress_table,
)

_TABLE = "stress.csv"
_BANDS = "stress_bands.csv"
_MEGA = 1e6
_STRESSES = {
    "von_mises": "von Mises",
    "hydrostatic": "hydrostatic",
    "stress_along": "along the wire (tt)",
    "stress_normal": "across the wire (nn)",
    "stress_shear": "shear (tn)",
    "principal_1": "largest principal",
    "principal_2": "middle principal",
    "principal_3": "smallest principal",
}


def stress(config: cfg.StressConfig, output: Path, comm: MPI.Comm) -> str:
    """Compute the stress of a particle and leave it in a new folder; collective.

    Args:
        config: The configuration.
        output: Folder to create; refused if it holds anything.
        comm: Ranks that share the mesh.

    Returns:
        The most telling numbers as a table.

    Raises:
        InputError: If the input cannot be used; nothing is written then.
        ConvergenceError: The stress cannot be found.
        OSError: A file cannot be written.
    """
    with FolderLock(output, comm, is_new=True):
        return _compute(config, output, comm)


def _compute(config: cfg.StressConfig, output: Path, comm: MPI.Comm) -> str:
    fields_name = name_field_file("stress", config.output.field_format)
    particle, measurement, analysis = _load(config, comm)
    model = create_model(config, particle, comm)
    statistics = _create_statistics(config, model, particle)
    model.solve()
    table = statistics.compute()
    folder = RunFolder.create(output, comm)
    run_on_root(comm, lambda: write_config(config, output / CONFIG))
    modules = {source.file: source.text for source in list_sources(config)}
    parameters = model.problem.parameters
    provenance = collect_provenance(comm, format_config(config), parameters, modules)
    write_provenance(output / PROVENANCE, provenance, comm)
    try:
        _write_analysis(config, analysis, folder)
        fields = _write_fields(fields_name if config.output.fields else None, model, folder)
        write_stress_table(folder.partial(_TABLE), table, comm)
        folder.finish(_TABLE)
        bands = _sample(config, particle, model, statistics, folder)
    except (ChemoMechError, OSError, KeyboardInterrupt) as error:
        if comm.rank == 0:
            # Alone: nobody knows whether the other ranks failed as well.
            reason = f"failed: {error}" if str(error) else "interrupted"
            write_provenance(output / PROVENANCE, provenance, MPI.COMM_SELF, reason)
        raise
    model.close()
    write_provenance(output / PROVENANCE, provenance, comm, "stress computed")
    if config.output.pictures:
        draw_stress(folder, fields.fields, particle, measurement, bands)
    return _summarise_stress(table, bands)


def _load(
    config: cfg.StressConfig, comm: MPI.Comm
) -> tuple[ImagedParticle | None, Measurement | None, Analysis | None]:
    """Load the particle, None for a field; on rank 0 its measurement and analysis, if any."""
    if isinstance(config.composition, cfg.FieldCompositionConfig):
        return None, None, None
    if config.measurement is None:
        return *load_particle(config, comm), None
    analysis = analyse_on_root(config.measurement, comm)

    def pick() -> ImagedParticle:
        assert analysis is not None
        return pick_particle(analysis.measurement, analysis.outlines, config.outline.particle)

    particle = run_on_root(comm, pick)
    return particle, None if analysis is None else analysis.measurement, analysis


def _create_statistics(
    config: cfg.StressConfig, model: StressModel, particle: ImagedParticle | None
) -> StressStatistics:
    phases = tuple(Phase(phase.name, phase.lowest, phase.highest) for phase in config.phase)
    distance = config.statistics.boundary_distance
    if distance is None and particle is not None:
        distance = particle.composition.grid.pixel_size
    elif distance is None:
        distance = model.domain.quality().h_mean * model.domain.length_unit
    return StressStatistics(
        model.problem.stress(),
        model.composition,
        model.domain,
        STRESS_UNIT,
        tangent=model.tangent,
        regions=Regions(phases, distance if len(phases) > 1 else None),
        excluded=model.find_tips(config.statistics.tip_widths),
        levels=config.statistics.percentiles,
    )


def _write_analysis(config: cfg.StressConfig, analysis: Analysis | None, folder: RunFolder) -> None:
    if config.measurement is not None:
        inner = RunFolder.create(folder.path / "measurement", folder.comm)
        write_analysis(config.measurement, analysis, inner)


def _write_fields(name: str | None, model: StressModel, folder: RunFolder) -> StressFields:
    """Write composition, displacement and stress at the vertices, in SI units but for nm of u."""
    fields = StressFields(
        model.problem.stress(),
        model.composition.function_space,
        STRESS_UNIT,
        model.tangent,
        principal=True,
    )
    fields.update()
    if name is not None:
        functions = [model.composition, model.problem.u, *fields.fields]
        with FieldWriter(folder.partial(name), functions) as writer:
            writer.write(0.0)
        folder.finish(name)
    return fields


def _sample(
    config: cfg.StressConfig,
    particle: ImagedParticle | None,
    model: StressModel,
    statistics: StressStatistics,
    folder: RunFolder,
) -> StressBands | None:
    """Repeat with noise drawn from the map's uncertainty; the model keeps its first solution."""
    count = config.uncertainty.samples
    if count == 0 or particle is None:
        return None
    kept = [function.x.array.copy() for function in (model.composition, model.problem.u)]
    seeds = np.random.SeedSequence(config.uncertainty.seed).spawn(count)
    drawn = (draw_sample(particle.composition, np.random.default_rng(seed)) for seed in seeds)
    tables = [_compute_sample(sample, config, model, statistics) for sample in drawn]
    for function, values in zip((model.composition, model.problem.u), kept, strict=True):
        function.x.array[:] = values
    bands = create_stress_bands(tables)
    write_stress_bands(folder.partial(_BANDS), bands, folder.comm)
    folder.finish(_BANDS)
    return bands


def _compute_sample(
    composition: CompositionMap,
    config: cfg.StressConfig,
    model: StressModel,
    statistics: StressStatistics,
) -> StressTable:
    # The same random numbers are drawn on every rank.
    interpolate_map(composition, config, model.composition)
    model.solve()
    return statistics.compute()


def _summarise_stress(table: StressTable, bands: StressBands | None) -> str:
    """Tabulate percentiles of each stress over the whole particle, and of von Mises by region.

    Stresses are in MPa, tension positive, with one standard deviation over samples if there are
    bands.
    """
    columns = [name for name in table.statistics if name not in ("minimum", "maximum")]
    spread = {}
    if bands is not None:
        spread = {(r.stress, r.region, r.statistic): r.deviation for r in bands.rows}
    lines = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    lines.add_column("Stress (MPa)")
    for name in columns:
        lines.add_column(name, justify="right")
    for row, values in zip(table.rows, table.values, strict=True):
        if row.region != "all" and row.stress != "von_mises":
            continue
        label = _STRESSES[row.stress] + ("" if row.region == "all" else f", {row.region}")
        cells = []
        for name, value in zip(table.statistics, values, strict=True):
            if name in columns:
                deviation = spread.get((row.stress, row.region, name))
                tail = "" if deviation is None else f"±{deviation / _MEGA:.2g}"
                cells.append(f"{value / _MEGA:.3g}{tail}")
        lines.add_row(label, *cells)
    return render(lines, width=140)
