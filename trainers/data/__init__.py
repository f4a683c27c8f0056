"""Where images come from, and how they reach a training step."""
