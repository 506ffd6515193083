"""Stop a run in the middle, as a signal does."""

from chemomech.simulation.interruption import StopRequest


def stop_after(count, patch):
    """Ask a run to stop after so many steps; ``patch`` is pytest's monkeypatch."""
    asked = iter(range(count))
    patch.setattr(
        StopRequest, "ask", lambda _: None if next(asked, None) is not None else "stopped"
    )
