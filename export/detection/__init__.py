"""What an export of a detector has of its own: its graph, its pictures, its gate, its card."""
