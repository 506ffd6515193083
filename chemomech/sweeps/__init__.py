"""Run one configuration with many values: cases, pool of processes, summary."""
