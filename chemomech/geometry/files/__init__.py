"""Read meshes, fields and outlines from files, and check what others made."""
