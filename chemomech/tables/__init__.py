"""Commands from table to table: film stress from curvature, strain from unit cells."""
