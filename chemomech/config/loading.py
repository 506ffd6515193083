"""Read configurations from TOML and write them back."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from pydantic import ValidationError
from typing_extensions import TypeVar  # pydantic needs it too; typing has no defaults before 3.13

from chemomech.config.base import Section
from chemomech.config.laws.user_law import Code, list_sources
from chemomech.config.model import Config
from chemomech.config.overrides import apply_overrides
from chemomech.config.reporting import describe_problems
from chemomech.errors import InputError, run_on_root
from chemomech.text_files import TEXT_ENCODING

if TYPE_CHECKING:
    from mpi4py import MPI

Model = TypeVar("Model", bound=Section, default=Config)


def load_config(
    path: Path | str,
    comm: MPI.Comm,
    overrides: Sequence[str] = (),
    *,
    unset: Sequence[str] = (),
    allow_code: bool = False,
    model: type[Model] = Config,  # type: ignore[assignment] # TypeVar's default makes it right
) -> Model:
    """Read and validate a configuration file on rank 0 and hand it to all ranks; collective.

    Args:
        path: TOML file; relative file names in it count from its folder.
        comm: The ranks.
        overrides: Changes such as ``"time.end=10 s"`` made before validation. A value that is no
            TOML is taken as text; entries of lists go by number, ``flux.0.value=...``. Where the
            file states another key of the same choice (``kappa`` or ``interface_width``), that one
            goes.
        unset: Keys taken out of the file before that, such as ``"mechanics"``.
        allow_code: Run the modules beside the file that it names for laws of its user's own.
        model: What the file describes: a simulation, a measurement or a stress map.

    Returns:
        The configuration, quantities in SI units.

    Raises:
        InputError: On every rank, if the file cannot be read or its contents cannot be used;
            the message has one line for each key at fault.
    """
    code = Code.ALLOWED if allow_code else Code.REFUSED
    return run_on_root(comm, lambda: _read(Path(path), overrides, unset, model, code))


def load_stored_config(
    path: Path,
    *,
    model: type[Model] = Config,  # type: ignore[assignment] # TypeVar's default makes it right
) -> Model:
    """Read the configuration in a folder of results, whose users' laws are not loaded; on one rank.

    Raises:
        InputError: It cannot be read.
    """
    return _read(path, (), (), model, Code.UNLOADED)


def create_config(
    table: Mapping[str, Any],
    folder: Path | None = None,
    source: str | None = None,
    *,
    allow_code: bool = False,
    model: type[Model] = Config,  # type: ignore[assignment] # TypeVar's default makes it right
) -> Model:
    """Validate a configuration given as nested tables, quantities as texts with units.

    Args:
        table: The tables, as TOML would give them.
        folder: Folder from which relative file names count; the working directory if None.
        source: Name of the file for messages.
        allow_code: Run modules in the folder that the tables name for laws of a user's own. A law
            itself, a frozen dataclass, may stand in place of its table, or of its ``kind``.
        model: What the tables describe.

    Raises:
        InputError: If something in the tables cannot be used.
    """
    code = Code.ALLOWED if allow_code else Code.REFUSED
    return _validate(table, folder or Path.cwd(), source, model, code)


def format_config(config: Section) -> str:
    """Write a configuration as TOML, every default spelled out, quantities in SI units.

    :func:`load_config` makes an equal configuration of it.
    """
    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))


def write_config(config: Section, path: Path) -> None:
    """Write :func:`format_config`'s text to a file, and users' laws beside it; on one rank only.

    Raises:
        OSError: If the file cannot be written.
    """
    path.write_text(format_config(config), encoding="utf-8")
    for source in list_sources(config):
        (path.parent / source.file).write_text(source.text, encoding="utf-8")


def _read(
    path: Path, overrides: Sequence[str], unset: Sequence[str], model: type[Model], code: Code
) -> Model:
    table = _parse(path)
    try:
        apply_overrides(table, overrides, unset, model)
    except InputError as error:
        if error.key is not None:
            error.path = str(path)
        raise
    return _validate(table, path.resolve().parent, str(path), model, code)


def _validate(
    table: Mapping[str, Any], folder: Path, source: str | None, model: type[Model], code: Code
) -> Model:
    try:
        return model.model_validate(table, context={"folder": folder, "code": code})
    except ValidationError as error:
        problems = describe_problems(error, table, model)
    if len(problems) == 1:
        (key, message), *_ = problems
        raise InputError(message, key=key or None, path=source)
    raise InputError("\n".join(str(InputError(m, key=key, path=source)) for key, m in problems))


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding=TEXT_ENCODING)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=str(path)) from error
    except ValueError as error:
        raise InputError(f"is no UTF-8 text: {error}", path=str(path)) from error
    if not text.strip():
        raise InputError("is empty; `chemomech init` writes a template", path=str(path))
    try:
        return tomllib.loads(text)
    # RecursionError: brackets nested thousands deep. ValueError: TOML's own, and overlong integers.
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no valid TOML: {error}", path=str(path)) from error
