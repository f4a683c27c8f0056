"""Training: data in, run directory out."""
