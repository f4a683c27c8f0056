"""A run directory belongs to one Run, and to one process while that trains in it."""

import contextlib
import pathlib

from trainers.engine import checkpoints
from trainers.plan.flags import as_text, differing
from trainers.run import lock
from zoo import files

FLAGS = "flags.txt"


class RunError(ValueError):
    """A run that cannot start here: what was expected, what is there, what to do."""


@contextlib.contextmanager
def held(run, place):
    """Inside, the directory is this process' alone, and is left as it was if nothing was claimed.

    RunError where it belongs to another Run, lock.LockError where another process trains in it.
    The chief alone asks; what killed writers left behind is gone then.
    """
    if not place.chief:
        yield
        return
    check(run, place.run_dir)
    new = not place.run_dir.exists()
    files.make_directory(place.run_dir)
    try:
        with lock.held(place.run_dir):
            files.sweep(place.run_dir)
            checkpoints.sweep(place.run_dir)
            yield
    finally:
        if new:
            with contextlib.suppress(OSError):  # it is not empty
                place.run_dir.rmdir()


def check(run, run_dir):
    """RunError names the flags that differ from those of the Run that the directory belongs to."""
    path = pathlib.Path(run_dir) / FLAGS
    if not path.exists():
        return
    names = differing(as_text(run), path.read_text(encoding="utf-8"))
    if names:
        raise RunError(
            f"{run_dir} belongs to a run with other flags: --{', --'.join(names)} differ "
            f"from {path}; take another --run_dir, or the flags that are there"
        )


def claim(run, place):
    """Writes `flags.txt`: from now on the directory is this Run's."""
    if place.chief and not (place.run_dir / FLAGS).exists():
        files.write_text(place.run_dir / FLAGS, as_text(run))


def take_up(state, place, begin):
    """Puts the newest checkpoint into `state`; where there is none, `begin()` fills step 0."""
    if not checkpoints.restore(state, place.run_dir):
        begin()
