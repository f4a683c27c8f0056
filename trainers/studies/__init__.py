"""The paper's tables and figures, one file each: they start the runs they need, and read them."""
