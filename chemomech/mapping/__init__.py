"""Pipelines of `measure`, `stress` and `phantom`: from images to stress."""
