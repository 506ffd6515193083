"""From a configuration to a meshed particle, its problem, and the solver of it."""
