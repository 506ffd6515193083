"""Energies and weak forms built from the constitutive laws."""
