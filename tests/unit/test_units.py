"""Quantities with units, and scales."""

import itertools
import math
from decimal import Decimal

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chemomech import units
from chemomech.units import QuantityKind, Scales
from chemomech.units.registry import FREQUENT


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (units.LENGTH, "100 nm", 1e-7),
        (units.LENGTH, "1e-9m", 1e-9),
        (units.LENGTH, " 0.1  µm ", 1e-7),
        (units.LENGTH, "3 angstrom", 3e-10),
        (units.LENGTH, "-5 nm", -5e-9),
        (units.BEND_ANGLE, "90 deg", math.pi / 2),
        (units.BEND_ANGLE, "0.5 rad", 0.5),
        (units.TIME, "72 h", 259200.0),
        (units.RATE, "1e-4 1/s", 1e-4),
        (units.RATE, "3 s^-1", 3.0),
        (units.TEMPERATURE, "25 degC", 298.15),
        (units.TEMPERATURE, "25 °C", 298.15),
        (units.MODULUS, "43 GPa", 43e9),
        (units.DIFFUSIVITY, "1e-9 cm^2/s", 1e-13),
        (units.CONCENTRATION, "18.5 mol/L", 18500.0),
        (units.MOLAR_VOLUME, "2.415 cm**3/mol", 2.415e-6),
        (units.GRADIENT_COEFFICIENT, "5.559e-14 J*m^2/mol", 5.559e-14),
        (units.GRADIENT_COEFFICIENT, "5.559e-14 J m^2/mol", 5.559e-14),
        (units.GRADIENT_COEFFICIENT, "5.559e-14 J·m²/mol", 5.559e-14),
        (units.MOLAR_FLUX, "1e-6 mol/(m^2*s)", 1e-6),
        (units.VELOCITY, "-1e-10 m/s", -1e-10),
    ],
)
def test_parses_what_people_write(kind: QuantityKind, text: str, value: float) -> None:
    assert kind.parse(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (units.LENGTH, "1 inch", 0.0254),
        (units.LENGTH, "3 fm", 3e-15),
        (units.LENGTH, "2 cm", 0.02),
        (units.TIME, "2 weeks", 1209600.0),
        (units.TEMPERATURE, "77 degF", 298.15),
        (units.STRESS, "1 atm", 101325.0),
        (units.MOLAR_ENERGY, "2 kcal/mol", 8368.0),
    ],
)
def test_knows_all_units_of_pint(kind: QuantityKind, text: str, value: float) -> None:
    assert kind.parse(text) == pytest.approx(value, rel=1e-15)


def test_frequent_units_mean_what_they_mean_to_pint() -> None:
    """Every word that can be made of the short list's prefixes, units and plurals."""
    # New ones: a registry that has met a nanometre takes it for a unit of its own.
    ours, theirs = (pint.UnitRegistry(of, non_int_type=Decimal) for of in (FREQUENT, ""))
    words = ["".join(parts) for parts in itertools.product(ours._prefixes, ours, ("", "s"))]
    assert set(words) > {"nm", "um", "µm", "mm", "s", "h", "hours", "K", "degC", "GPa", "kJ"}
    for word in words:
        if (unit := _parse(ours, word)) is not None:
            assert _describe(unit) == _describe(_parse(theirs, word)), word


def _parse(registry: pint.UnitRegistry, word: str) -> pint.Unit | type[Exception] | None:
    try:
        return registry.parse_units(word)
    except pint.UndefinedUnitError:
        return None
    except pint.PintError as error:
        return type(error)


def _describe(unit: pint.Unit | type[Exception] | None) -> tuple[object, ...]:
    if not isinstance(unit, pint.Unit):
        return (unit,)
    zero, one = (unit._REGISTRY.Quantity(number, unit).to_root_units() for number in (0, 1))
    return zero.magnitude, one.magnitude, one.dimensionality


def test_decimal_conversion_is_exact() -> None:
    assert units.LENGTH.parse("100 nm") == 1e-7


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (100, r"100 has no unit; a length is needed, such as \"100 nm\""),
        (1.5, "has no unit"),
        (True, "no quantity"),
        (None, "no quantity"),
        ("100", "has no unit"),
        ("nm", "does not begin with a number"),
        ("nan nm", "does not begin with a number"),
        ("", "does not begin with a number"),
        ("100 nmm", "unknown unit"),
        ("1 m2", "powers as m"),
        ("5 kg", r"\[mass\], but a length \(\[length\]\)"),
        ("1 m/s", r"\[length\]/\[time\], but a length"),
        ("2*3 nm", "is no unit"),
        ("1 (m", "is no unit"),
        ("1 9**9**9**9", "is no unit"),
        ("1" + " " * 200 + "m", "does not begin with a number"),
        ("0 nm", "must be greater than zero"),
        ("-5 nm", "must be greater than zero"),
        ("1e-30 m", "outside the accepted range"),
        ("1 km", r"range \[1e-12, 1\] m of a length"),
        ("1e9999 m", "outside the accepted range"),
    ],
)
def test_refuses_nonsense_and_says_what_is_right(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        units.POSITIVE_LENGTH.parse(value)


def test_zero_may_be_allowed_and_less_not() -> None:
    assert units.NON_NEGATIVE_LENGTH.parse("0 nm") == 0.0
    with pytest.raises(ValueError, match="must not be negative"):
        units.NON_NEGATIVE_LENGTH.parse("-1 nm")


@given(st.floats(min_value=1e-12, max_value=1.0))
def test_written_quantities_read_back_to_the_last_bit(value: float) -> None:
    assert units.POSITIVE_LENGTH.parse(units.POSITIVE_LENGTH.format(value)) == value


@given(st.text(max_size=30) | st.text(alphabet="1 nm*/()^-.e²µ°CJaKls", max_size=12))
def test_any_text_is_a_length_or_a_value_error(text: str) -> None:
    try:
        value = units.LENGTH.parse(f"1 {text}")
    except ValueError:
        return
    assert -1.0 <= value <= 1.0


def test_scales_of_parameter_set_a() -> None:
    scales = Scales(diffusivity=1e-15, temperature=298.15, site_concentration=18500.0)
    assert scales.length == 1e-9
    assert scales.chemical_potential == pytest.approx(2478.957, rel=1e-6)
    assert scales.energy_density == pytest.approx(4.586e7, rel=1e-4)
    assert scales.stress == scales.energy_density
    assert scales.time == pytest.approx(1e-3)
    assert scales.velocity == pytest.approx(1e-6)
    assert scales.energy(2) == pytest.approx(4.586e-11, rel=1e-4)
    assert scales.energy(3) == pytest.approx(4.586e-20, rel=1e-4)
