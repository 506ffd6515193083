"""Write results: folder, provenance, ledger, fields for ParaView, pictures and film."""
