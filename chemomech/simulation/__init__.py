"""Pipeline of a simulation: stages, records, checkpoints, and the time loop."""
