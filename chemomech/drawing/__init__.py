"""Draw fields, maps, ledgers and films; read records, write none."""
