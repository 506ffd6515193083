"""Constitutive laws: UFL in, UFL out, one family a file; in any consistent set of units."""
