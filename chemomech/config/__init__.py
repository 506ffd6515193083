"""Validated, typed configurations from TOML files; every quantity a float in SI units."""

from chemomech.config.geometry import (
    BoxConfig,
    GeometryConfig,
    MeshFileConfig,
    NanowireConfig,
    OutlineConfig,
)
from chemomech.config.loading import create_config, format_config, load_config, write_config
from chemomech.config.material import MaterialConfig
from chemomech.config.measurement import EndMemberConfig, MeasurementConfig
from chemomech.config.mechanics import (
    ClampedConfig,
    DisplacementConfig,
    MechanicsConfig,
    RollerConfig,
    TractionConfig,
)
from chemomech.config.model import Config
from chemomech.config.schedule import (
    GalvanostaticConfig,
    PotentiostaticConfig,
    RestConfig,
    ScheduleConfig,
    StepConfig,
)
from chemomech.config.simulation import (
    FileConfig,
    FormulaConfig,
    MeasuredConfig,
    NoiseConfig,
    OutputConfig,
    UniformConfig,
)
from chemomech.config.stress import (
    FieldCompositionConfig,
    MapCompositionConfig,
    MeasuredCompositionConfig,
    StressConfig,
)

__all__ = [
    "BoxConfig",
    "ClampedConfig",
    "Config",
    "DisplacementConfig",
    "EndMemberConfig",
    "FieldCompositionConfig",
    "FileConfig",
    "FormulaConfig",
    "GalvanostaticConfig",
    "GeometryConfig",
    "MapCompositionConfig",
    "MaterialConfig",
    "MeasuredCompositionConfig",
    "MeasuredConfig",
    "MeasurementConfig",
    "MechanicsConfig",
    "MeshFileConfig",
    "NanowireConfig",
    "NoiseConfig",
    "OutlineConfig",
    "OutputConfig",
    "PotentiostaticConfig",
    "RestConfig",
    "RollerConfig",
    "ScheduleConfig",
    "StepConfig",
    "StressConfig",
    "TractionConfig",
    "UniformConfig",
    "create_config",
    "format_config",
    "load_config",
    "write_config",
]
