"""A run directory belongs to one Run, and to one process while that trains in it."""

import contextlib
import os
import pathlib

from trainers.data import recorded, split
from trainers.engine import checkpoints
from trainers.plan.flags import as_text, differing
from trainers.run import lock
from zoo import archive, files

FLAGS = "flags.txt"


class RunError(ValueError):
    """A run that cannot start here: what was expected, what is there, what to do."""


def begun(run_dir):
    """Whether a run has left there what it would go on from."""
    path = pathlib.Path(run_dir)
    saved = checkpoints.steps_saved(run_dir) or (path / archive.MANIFEST).exists()
    return bool(saved) and (path / FLAGS).exists()


def check(run, run_dir):
    """RunError names the flags in which a run that has begun there differs."""
    path = pathlib.Path(run_dir) / FLAGS
    names = differing(as_text(run), path.read_text(encoding="utf-8")) if begun(run_dir) else ()
    if names:
        raise RunError(
            f"{run_dir} belongs to a run with other flags: --{', --'.join(names)} differ "
            f"from {path}; take another --run_dir, or the flags that are there"
        )


def repeating(run, data_dir):
    """The flags that make the run again, from whatever directory they are read."""
    places = {"init_from": run.init_from, "data_dir": data_dir}
    return as_text(run, **{name: os.path.abspath(place) for name, place in places.items() if place})


@contextlib.contextmanager
def held(place):
    """Inside, the directory is this process' alone, and is left as it was if nothing was claimed.

    LockError where another process trains in it. The chief alone asks; what killed writers left
    behind is gone then.
    """
    if not place.chief:
        yield
        return
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


def claim(run, place, data):
    """Makes the directory this Run's; the chief does it, when nothing can be refused any more.

    `flags.txt` and `split.json` are written where no run has begun: one that was refused or
    killed before its first checkpoint stands in nobody's way.
    """
    if not place.chief:
        return
    check(run, place.run_dir)
    both = {source.split: source for source in (data.train, data.validation)}
    if not begun(place.run_dir):
        files.write_text(place.run_dir / FLAGS, repeating(run, place.data_dir))
        if found := split.of(both, place.data_dir, run.seed, data.shorter_px):
            split.write(place.run_dir, found)
    elif place.accept_changed_data and (kept := split.read(place.run_dir)):
        split.write(place.run_dir, recorded.updated(kept, both))


def take_up(state, place, begin):
    """Puts the newest checkpoint into `state`; where there is none, `begin()` fills step 0."""
    if not checkpoints.restore(state, place.run_dir):
        begin()
