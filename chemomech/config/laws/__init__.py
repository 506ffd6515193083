"""The tables of laws: schema and constructor side by side, families and their kinds.

All modules here are imported with it, so that a family knows its kinds: a new one is a new class.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
