"""Write reference/configuration.md from the schema: each key with unit, default and meaning."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sphinx.application import Sphinx

from chemomech.config import Config, MeasurementConfig, StressConfig
from chemomech.config.base import Section
from chemomech.sweeps.definition import SweepConfig
from chemomech.units import QuantityKind

FILES = {
    "Simulation (`chemomech run`)": Config,
    "Measurement (`chemomech measure`)": MeasurementConfig,
    "Stress map (`chemomech stress`)": StressConfig,
    "Sweep (`chemomech sweep`)": SweepConfig,
}
OPENING = """# Every key of the configuration

Quantities are texts with a unit, such as `"100 nm"`; any unit of the same dimension will do, and
the one below is that in which a folder of results states them. A key without a default must be
given. Tables of several kinds choose theirs by `kind`. `chemomech init` writes a commented file to
start from.
"""


def format_reference() -> str:
    """The whole page, in Markdown."""
    parts = [OPENING]
    for title, model in FILES.items():
        parts += [f"## {title}", *_leave_out_repeated(_format_tables(model, ""))]
    return "\n\n".join(parts) + "\n"


def find_models(annotation: object) -> Iterator[type[BaseModel]]:
    """Tables that an annotation speaks of, in their order."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield from annotation.list_kinds()
    for part in typing.get_args(annotation):
        yield from find_models(part)


def find_unit(annotation: object, metadata: typing.Sequence[object]) -> str:
    """Unit of a quantity, empty for what has none."""
    for kind in metadata:
        if isinstance(kind, QuantityKind):
            return kind.unit
    if hasattr(annotation, "__metadata__"):
        return find_unit(typing.get_args(annotation)[0], annotation.__metadata__)
    units = [find_unit(part, ()) for part in typing.get_args(annotation)]
    return next((unit for unit in units if unit), "")


def find_choices(annotation: object) -> list[str]:
    """Words that a key may be."""
    if typing.get_origin(annotation) is typing.Literal:
        return [
            f'`"{word}"`' if isinstance(word, str) else f"`{word}`"
            for word in typing.get_args(annotation)
        ]
    return [word for part in typing.get_args(annotation) for word in find_choices(part)]


def _format_tables(model: type[BaseModel], path: str) -> list[str]:
    """Sections of a table and of those in it."""
    parts: list[str] = []
    keys = {name: field for name, field in model.model_fields.items() if not _is_table(field)}
    if path:
        kind = model.model_fields.get("kind")
        chosen = f', `kind = "{kind.default}"`' if kind is not None and kind.default else ""
        parts += [f"### `{path}`{chosen}", (model.__doc__ or "").strip().partition("\n")[0]]
    if keys:
        lines = ["| key | unit or choices | default | meaning |", "|---|---|---|---|"]
        lines += [_format_key(name, field) for name, field in keys.items() if name != "kind"]
        if len(lines) > 2:
            parts.append("\n".join(lines))
    for name, field in model.model_fields.items():
        if name in keys:
            continue
        many = "tuple" in str(field.annotation).partition("[")[0]
        inner = f"{path}.{name}" if path else name
        shown = f"[[{inner}]]" if many else f"[{inner}]"
        for table in find_models(field.annotation):
            body = _format_tables(table, inner)
            body[0] = body[0].replace(f"`{inner}`", f"`{shown}`", 1)
            parts += body
    return parts


def _leave_out_repeated(parts: list[str]) -> Iterator[str]:
    """Leave out tables that several kinds of one have alike."""
    seen: set[str] = set()
    is_new = True
    for part in parts:
        if part.startswith("#"):
            is_new = part not in seen
            seen.add(part)
        if is_new:
            yield part


def _is_table(field: FieldInfo) -> bool:
    return next(find_models(field.annotation), None) is not None


def _format_key(name: str, field: FieldInfo) -> str:
    unit = find_unit(field.annotation, field.metadata)
    values = ", ".join([*([unit] if unit else []), *find_choices(field.annotation)])
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{name}` | {values} | {_format_default(field)} | {meaning} |"


def _format_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, str):
        return f'`"{default}"`'
    if isinstance(default, (tuple, dict)) and not default:
        return "none"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _write(app: Sphinx) -> None:
    path = Path(app.srcdir) / "reference" / "configuration.md"
    text = format_reference()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx write the page before it looks for pages."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}
