"""The tables of laws: one family a file, schema and constructor side by side."""
