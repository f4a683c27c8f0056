"""Trained networks and pictures as people have them, through every format."""
