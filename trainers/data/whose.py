"""Which images a person means by --data, --data_dir, both, or neither of them."""

import os

from trainers.data import sources


def name_of(own, data, data_dir):
    """What is named, a folder where a directory alone is given, or a network's own; None: neither.

    `own` is what its manifest says of its data: a name, and a data_dir where there is one.
    """
    if not data and data_dir and own.get("name") in (None, *sources.BUILT_IN):
        return "folder"
    return data or own.get("name")


def is_own(own, data, data_dir, name):
    """Whether `name_of` is the network's own: a directory alone is where they have moved to."""
    if name != own.get("name"):
        return False
    if not (data and data_dir and own.get("data_dir")):
        return True
    return os.path.realpath(os.path.expanduser(data_dir)) == os.path.realpath(own["data_dir"])
