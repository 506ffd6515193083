"""Look up units in a short list, or in all that pint knows where that is not enough.

Reading pint's own list takes longer than all else that a configuration needs.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pint

#: Definitions in pint's format. Whatever word can be made of them means what it means in pint's own
#: list. For that some names and prefixes are missing: with centi-, the chain "ch" were a time.
FREQUENT = """
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = μ- = µ- = u- = mu- = mc-
milli- = 1e-3 = m-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-

meter = [length] = m = metre
second = [time] = s
ampere = [current] = A
gram = [mass] = g
mole = [substance] = mol
kelvin = [temperature]; offset: 0 = K
radian = [] = rad

degree = 3.1415926535897932384626433832795028841971693993751 / 180 * radian = deg

angstrom = 1e-10 * meter = Å
micron = micrometer
liter = 1e-3 * meter ** 3 = l = L = litre

minute = 60 * second = min
hour = 60 * minute = h
day = 24 * hour

degree_Celsius = kelvin; offset: 273.15 = °C = celsius = degC

newton = kilogram * meter / second ** 2 = N
pascal = newton / meter ** 2 = Pa
bar = 1e5 * pascal
joule = newton * meter = J
electron_volt = 1.602176634e-19 * joule = eV
watt = joule / second = W
coulomb = ampere * second = C
volt = joule / coulomb = V

# A dose: else it were several radians.
rads = 0.01 * joule / kilogram
""".splitlines()


@cache
def _create_registry(*, complete: bool) -> pint.UnitRegistry:
    """Create a registry of pint's frequent units or of all of them.

    Numbers are decimal: 100 nm is 1e-07 m, not 1.0000000000000001e-07 m.
    """
    return pint.UnitRegistry("" if complete else FREQUENT, non_int_type=Decimal)


def find_registry(unit: str) -> pint.UnitRegistry:
    """Find the shortest registry that knows a unit such as ``J*m^2/mol``, or the complete one.

    Raises:
        pint.PintError: The text is no unit.
    """
    frequent = _create_registry(complete=False)
    try:
        frequent.parse_units(unit)
    except pint.UndefinedUnitError:
        return _create_registry(complete=True)
    return frequent
