"""What a detector learns: targets, losses, and the engine's Task of both."""
