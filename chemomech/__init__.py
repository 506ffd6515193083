"""Phase separation and stress in battery particles: Cahn-Hilliard coupled to mechanics.

    from mpi4py import MPI
    import chemomech

    config = chemomech.load_config("demos/bent_nanowire.toml", MPI.COMM_WORLD)
    chemomech.simulate(config, "results", MPI.COMM_WORLD)

The public names are listed in ``__init__.pyi``; each is imported when it is first used, so that
neither the command line's help nor a look at a configuration waits for the finite elements.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
