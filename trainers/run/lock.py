"""One process at a time trains in a run directory: a lock that dies with its holder."""

import contextlib
import errno
import fcntl
import os
import pathlib
import socket

NAME = ".lock"
UNLOCKABLE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # file systems that know no locks


class LockError(ValueError):
    """Somebody else trains there."""


@contextlib.contextmanager
def held(directory):
    """Inside, no other process gets past this; LockError, with host and process, where one is in.

    Advisory, by the kernel, which frees it when its holder ends in whatever way. Who only reads
    does not ask for it.
    """
    path = pathlib.Path(directory) / NAME
    descriptor = taken(path)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{socket.gethostname()} {os.getpid()}".encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is free, so nobody waits for a name that is gone
        os.close(descriptor)


def taken(path):
    """The descriptor of the locked file."""
    while True:
        descriptor, kept = os.open(path, os.O_RDWR | os.O_CREAT, 0o644), False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = is_at(path, descriptor)  # else its holder has just removed it: again
        except BlockingIOError:
            raise LockError(holder(path, os.read(descriptor, 300).decode())) from None
        except OSError as error:
            if error.errno not in UNLOCKABLE:
                raise
            kept = True
        finally:
            if not kept:
                os.close(descriptor)
        if kept:
            return descriptor


def is_at(path, descriptor):
    """Whether the open file is still the one of that name."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    return False


def holder(path, words):
    """The sentence about who holds it."""
    host, _, process = words.partition(" ")
    return (
        f"{path.parent} is being trained by process {process or 'unknown'} on "
        f"{host or 'an unknown machine'}: wait for it or end it, or take another --run_dir"
    )
