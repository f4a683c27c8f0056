"""What a localiser's run will compute."""
