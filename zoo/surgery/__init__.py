"""Functions from a network to a network: the function computed stays, or changes as they say."""
