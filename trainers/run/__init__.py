"""A run directory, from its plan to its trained network."""
