"""A disk that takes nothing more, told in one sentence wherever something is written."""

import contextlib
import errno

FULL = {errno.ENOSPC: "No space left", errno.EDQUOT: "Disk quota exceeded"}
DENIED = (errno.EROFS, errno.EACCES, errno.EPERM)


class DiskError(OSError):
    """What cannot be written: where, why, and what to do."""


@contextlib.contextmanager
def told(directory):
    """Inside, a `directory` that takes nothing more is a DiskError, by whomever it was met."""
    try:
        yield
    except Exception as error:
        if is_full(error):
            raise DiskError(
                f"No space left on the disk of {directory}: free some and repeat the command; "
                "nothing half written was left"
            ) from error
        if getattr(error, "errno", None) in DENIED:
            raise DiskError(
                f"{directory} may not be written to ({error.strerror}): give another --output_dir, "
                "or make it writable"
            ) from error
        raise


def is_full(error):
    """Whether an error says so, be it Python's, HDF5's or TensorFlow's: they share the words."""
    if getattr(error, "errno", None) in FULL:
        return True
    return any(words in str(error) for words in FULL.values())
