"""PETSc and nothing else: block systems, Newton, preconditioners, time stepping; no physics."""
