"""A run directory belongs to one Run, and to one process while that trains in it."""

import contextlib
import os
import pathlib

from trainers.data import recorded, split
from trainers.engine import checkpoints
from trainers.plan.flags_txt import as_text, differing
from trainers.run import lock
from zoo import archive, files

FLAGS = "flags.txt"
LENGTHS = {"steps", "epochs"}  # flags in which a run that trains on may differ


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
    if names and not (set(names) <= LENGTHS and trains_on(run, run_dir)):
        raise RunError(
            f"{run_dir} belongs to a run with other flags: --{', --'.join(names)} differ "
            f"from its {FLAGS}; take another --run_dir, or the flags that are there"
        )


def trains_on(run, run_dir):
    """Whether the run that is there has come to its end, and this one's is later, or not known."""
    done = finished_at(run_dir)
    return done is not None and (run.recipe.steps is None or run.recipe.steps > done)


def finished_at(run_dir):
    """The last step of a run that has come to its end; None of others."""
    with contextlib.suppress(archive.ArchiveError):
        manifest = archive.load_manifest(run_dir)
        if manifest.step == manifest.recipe.get("steps"):
            return manifest.step
    return None


def prolonged(run, asked, run_dir):
    """What is to be said of a finished run that goes on to more steps, None of all others.

    `run` is what images have made of `asked`. RunError where that is not longer.
    """
    path, done = pathlib.Path(run_dir) / FLAGS, finished_at(run_dir)
    if done is None or not begun(run_dir) or run.recipe.steps == done:
        return None
    if run.recipe.steps < done:
        raise RunError(
            f"{run_dir} was trained for {done:,} steps: expected more of --steps or --epochs than "
            f"those, to go on, got {run.recipe.steps:,} steps"
        )
    if not differing(as_text(asked), path.read_text(encoding="utf-8")):
        return None
    return (
        f"NOTE: trained for {done:,} steps before, now for {run.recipe.steps:,}: from here on the "
        f"learning rate falls as its {run.recipe.schedule} schedule does over all of those"
    )


def repeating(run, data_dir):
    """The flags that make the run again, from whatever directory they are read."""
    places = run.places | {"data_dir": data_dir}
    return as_text(run, **{name: os.path.abspath(place) for name, place in places.items() if place})


def write_flags(run, place):
    files.write_text(place.run_dir / FLAGS, repeating(run, place.data_dir))


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
        write_flags(run, place)
        if found := split.of(both, place.data_dir, run.seed, data.shorter_px, data.hold_out):
            split.write(place.run_dir, found)
        return
    if differing(as_text(run), (place.run_dir / FLAGS).read_text(encoding="utf-8")):
        write_flags(run, place)  # it trains on
    if place.accept_changed_data and (kept := split.read(place.run_dir)):
        split.write(place.run_dir, recorded.updated(kept, both))


def take_up(state, place, begin):
    """Puts the newest checkpoint into `state`; where there is none, `begin()` fills step 0."""
    if not checkpoints.restore(state, place.run_dir):
        begin()
