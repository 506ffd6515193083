"""Record results: folder, provenance, ledger, checkpoints, fields for ParaView, progress."""
