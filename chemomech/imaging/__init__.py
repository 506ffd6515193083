"""From counts of an X-ray microscope to a map of composition, one step a module; no meshes."""
