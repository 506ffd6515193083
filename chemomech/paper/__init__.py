"""Reproduction of the figures of Santos et al., Mater. Horiz. 2020, 7, 3275.

`figures` lists them, a module each makes them, `reproduction` runs one, `page` writes what it
found.
"""
