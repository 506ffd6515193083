"""Steps from the counts of an X-ray microscope to a map of composition; no meshes."""
