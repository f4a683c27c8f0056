"""What a run will compute, before anything is computed: flags, recipes, sources of images."""
