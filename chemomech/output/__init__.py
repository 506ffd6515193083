"""What a run leaves behind: folder, provenance, ledger, fields for ParaView, pictures and film."""
