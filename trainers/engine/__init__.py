"""State and data -> trained state: the loop, its steps on the devices, checkpoints, policies."""
