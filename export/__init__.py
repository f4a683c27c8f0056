"""From a run directory to an artifact that carries its preprocessing, labels and proof."""
