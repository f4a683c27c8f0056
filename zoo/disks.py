"""A full disk, told in one sentence wherever something is written."""

import contextlib
import errno

FULL = {errno.ENOSPC: "No space left", errno.EDQUOT: "Disk quota exceeded"}


class DiskError(OSError):
    """No space left: where, and what to do."""


@contextlib.contextmanager
def told(directory):
    """Inside, no space left on the disk of `directory` is a DiskError, by whomever it was met."""
    try:
        yield
    except Exception as error:
        if is_full(error):
            raise DiskError(
                f"No space left on the disk of {directory}: free some and repeat the command; "
                "nothing half written was left"
            ) from error
        raise


def is_full(error):
    """Whether an error says so, be it Python's, HDF5's or TensorFlow's: they share the words."""
    if getattr(error, "errno", None) in FULL:
        return True
    return any(words in str(error) for words in FULL.values())
