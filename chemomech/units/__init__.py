"""Quantities with units as people write them, and the scales of the dimensionless equations."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from tokenize import TokenError
from typing import Annotated

import pint
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from chemomech.units.registry import find_registry
from chemomech.units.scales import FARADAY as FARADAY
from chemomech.units.scales import Scales as Scales

_LONGEST = 100
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?)(.*)", re.DOTALL)
# pint evaluates what it is given, and "9**9**9**9" would never end: only products of units pass.
_FACTOR = r"(?:°C|[^\W\d_]+)(?:\s*(?:\^|\*\*)\s*-?\d)?"
_PRODUCT = rf"{_FACTOR}(?:\s*[*/·\s]\s*{_FACTOR})*"
_UNIT = re.compile(
    rf"(?:1\s*)?/?\s*(?:{_PRODUCT}|\({_PRODUCT}\))(?:\s*[*/·]\s*(?:{_FACTOR}|\({_PRODUCT}\)))*"
)


def split_quantity(text: str) -> tuple[str, str] | None:
    """Split a quantity such as ``100 nm`` into number and unit; None without a number first."""
    match = _NUMBER.fullmatch(text)
    return (match[1], match[2].strip()) if match else None


@dataclass(frozen=True)
class QuantityKind:
    """A kind of physical quantity: how it is called, its SI unit, an example, and sane limits.

    The limits are wide: they catch slips (a nanowire of metres) and keep arithmetic from overflow.
    ``Annotated[float, kind]`` is the type of a quantity in a section of the configuration.

    Args:
        name: Word for people, with its article, such as ``a length``.
        unit: SI unit in which values are held, such as ``m``.
        example: A value as a user would write it, such as ``100 nm``.
        lowest: Smallest value accepted, in ``unit``.
        highest: Largest value accepted, in ``unit``.
    """

    name: str
    unit: str
    example: str
    lowest: float
    highest: float

    def parse(self, value: object) -> float:
        """Read a quantity such as ``"100 nm"`` and convert it to the SI unit of this kind.

        Raises:
            ValueError: No text, no number, no unit, an unknown unit, one of another dimension, or a
                value beyond the limits.
        """
        converted = self._read(value)
        self._check_limits(converted, str(value))
        return converted

    def format(self, value: float) -> str:
        """Write a value so that :meth:`parse` reads back the very same number: ``"1e-07 m"``."""
        return f"{float(value)!r} {self.unit}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self.parse,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(self.format),
        )

    def accepts(self, value: object) -> bool:
        """Tell whether a text has the dimension of this kind, within the limits or not."""
        try:
            self._read(value)
        except ValueError:
            return False
        return True

    def _read(self, value: object) -> float:
        """Read a value of this kind's dimension, whatever its size, in :attr:`unit`."""
        number, unit = self._split(value)
        try:
            registry = find_registry(unit)
            quantity = registry.Quantity(number, registry.parse_units(unit))
        except pint.UndefinedUnitError as error:
            raise ValueError(f"unknown unit in {value!r} ({error}); {self._advice()}") from error
        except (pint.PintError, ValueError, TypeError, SyntaxError, TokenError) as error:
            raise ValueError(f"{unit!r} is no unit; {self._advice()}") from error
        return self._convert(quantity, registry.parse_units(self.unit), str(value))

    def _advice(self) -> str:
        return f'{self.name} is needed, such as "{self.example}"'

    def _split(self, value: object) -> tuple[Decimal, str]:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(f"{value!r} has no unit; {self._advice()}")
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no quantity; {self._advice()}")
        found = split_quantity(value) if len(value) <= _LONGEST else None
        if found is None:
            raise ValueError(f"{value!r} does not begin with a number; {self._advice()}")
        number, unit = found
        unit = unit.removeprefix("*").strip()
        if not unit:
            raise ValueError(f"{value!r} has no unit; {self._advice()}")
        if _UNIT.fullmatch(unit) is None:
            raise ValueError(f"{unit!r} is no unit; {self._advice()} (powers as m^2)")
        unit = unit.replace("·", "*").replace("°C", "degC")
        return Decimal(number), f"1{unit}" if unit.startswith("/") else unit

    def _convert(self, quantity: pint.Quantity, wanted: pint.Unit, text: str) -> float:
        if quantity.dimensionality != wanted.dimensionality:
            found, needed = _dimension(quantity.dimensionality), _dimension(wanted.dimensionality)
            raise ValueError(
                f"{text!r} has the dimension {found}, but {self.name} ({needed}) is needed, "
                f'such as "{self.example}"'
            )
        try:
            converted = float(quantity.to(wanted).magnitude)
        except (pint.PintError, ArithmeticError) as error:
            raise ValueError(f"{text!r} cannot be converted to {self.unit}: {error}") from error
        return converted

    def _check_limits(self, value: float, text: str) -> None:
        if value <= 0.0 < self.lowest:
            raise ValueError(f"{text!r} must be greater than zero")
        if value < 0.0 == self.lowest:
            raise ValueError(f"{text!r} must not be negative")
        if not self.lowest <= value <= self.highest:
            raise ValueError(
                f"{text!r} is outside the accepted range "
                f"[{self.lowest:g}, {self.highest:g}] {self.unit} of {self.name}"
            )


def _dimension(dimensionality: object) -> str:
    return str(dimensionality).replace(" ** ", "^").replace(" * ", " ").replace(" / ", "/")


LENGTH = QuantityKind("a length", "m", "100 nm", lowest=-1.0, highest=1.0)
POSITIVE_LENGTH = QuantityKind("a length", "m", "100 nm", lowest=1e-12, highest=1.0)
NON_NEGATIVE_LENGTH = QuantityKind("a length", "m", "100 nm", lowest=0.0, highest=1.0)
BEND_ANGLE = QuantityKind("an angle", "rad", "90 deg", lowest=0.0, highest=math.pi)
ANGLE = QuantityKind("an angle", "rad", "30 deg", lowest=-2 * math.pi, highest=2 * math.pi)
TIME = QuantityKind("a time", "s", "10 s", lowest=1e-15, highest=1e12)
RATE = QuantityKind("a rate", "1/s", "1e-4 1/s", lowest=1e-30, highest=1e15)
TEMPERATURE = QuantityKind("a temperature", "K", "298.15 K", lowest=1.0, highest=5000.0)
STRESS = QuantityKind("a stress", "Pa", "10 MPa", lowest=-1e15, highest=1e15)
MODULUS = QuantityKind("a modulus", "Pa", "43 GPa", lowest=1.0, highest=1e15)
DIFFUSIVITY = QuantityKind("a diffusivity", "m^2/s", "1e-15 m^2/s", lowest=1e-40, highest=1.0)
CONCENTRATION = QuantityKind(
    "a concentration", "mol/m^3", "18500 mol/m^3", lowest=1e-3, highest=1e7
)
MOLAR_VOLUME = QuantityKind(
    "a molar volume", "m^3/mol", "2.415e-6 m^3/mol", lowest=-1e-3, highest=1e-3
)
GRADIENT_COEFFICIENT = QuantityKind(
    "a gradient coefficient", "J*m^2/mol", "5.559e-14 J*m^2/mol", lowest=0.0, highest=1.0
)
PHOTON_ENERGY = QuantityKind("a photon energy", "eV", "515 eV", lowest=1.0, highest=1e6)
VELOCITY = QuantityKind("a flux", "m/s", "1e-10 m/s", lowest=-1e3, highest=1e3)
RATE_CONSTANT = QuantityKind("a rate constant", "m/s", "1e-10 m/s", lowest=1e-40, highest=1e3)
MOLAR_FLUX = QuantityKind("a molar flux", "mol/m^2/s", "1e-6 mol/m^2/s", lowest=-1e6, highest=1e6)
VOLTAGE = QuantityKind("a voltage", "V", "3.2 V", lowest=-100.0, highest=100.0)
MOLAR_ENERGY = QuantityKind("an energy per mole", "J/mol", "2 kJ/mol", lowest=-1e6, highest=1e6)
CURRENT = QuantityKind("a current", "A", "1e-15 A", lowest=1e-40, highest=1e6)
LINE_CURRENT = QuantityKind("a current per depth", "A/m", "1e-9 A/m", lowest=1e-40, highest=1e6)

Length = Annotated[float, LENGTH]
PositiveLength = Annotated[float, POSITIVE_LENGTH]
NonNegativeLength = Annotated[float, NON_NEGATIVE_LENGTH]
BendAngle = Annotated[float, BEND_ANGLE]
Angle = Annotated[float, ANGLE]
Time = Annotated[float, TIME]
Rate = Annotated[float, RATE]
Temperature = Annotated[float, TEMPERATURE]
Stress = Annotated[float, STRESS]
Modulus = Annotated[float, MODULUS]
Diffusivity = Annotated[float, DIFFUSIVITY]
Concentration = Annotated[float, CONCENTRATION]
MolarVolume = Annotated[float, MOLAR_VOLUME]
GradientCoefficient = Annotated[float, GRADIENT_COEFFICIENT]
PhotonEnergy = Annotated[float, PHOTON_ENERGY]
RateConstant = Annotated[float, RATE_CONSTANT]
Voltage = Annotated[float, VOLTAGE]
MolarEnergy = Annotated[float, MOLAR_ENERGY]
