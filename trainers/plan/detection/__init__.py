"""What a detector's run will compute."""
