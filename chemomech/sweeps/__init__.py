"""One configuration, many values: cases, the pool that runs them, and what came of them."""
