"""Commands on tables: film stress from curvature, strain from unit cells."""
