"""What a run of R-CNN on a localiser's proposals will compute."""
