"""The pipeline of a simulation: stages, records, checkpoints, and the march through time."""
