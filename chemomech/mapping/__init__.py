"""From images to stress: the pipelines behind `measure`, `stress` and `phantom`."""
