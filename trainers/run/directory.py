"""A run directory belongs to one Run: claimed at first, taken up again where it stopped."""

import pathlib

from trainers.data import recorded, split
from trainers.engine import checkpoints
from trainers.plan.flags import as_text, differing
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


def claim(run, place, data):
    """Makes the directory this Run's, and sweeps what a killed writer left; the chief does it.

    `flags.txt` and `split.json` are written where no run has begun: one that was refused or
    killed before its first checkpoint stands in nobody's way.
    """
    if not place.chief:
        return
    check(run, place.run_dir)
    both = {source.split: source for source in (data.train, data.validation)}
    kept = split.read(place.run_dir) if begun(place.run_dir) else None
    if kept and place.accept_changed_data:
        split.write(place.run_dir, recorded.updated(kept, both))
    if not begun(place.run_dir):
        place.run_dir.mkdir(parents=True, exist_ok=True)
        files.write_text(place.run_dir / FLAGS, as_text(run))
        if found := split.of(both, place.data_dir, run.seed, data.shorter_px):
            split.write(place.run_dir, found)
    checkpoints.sweep(place.run_dir)


def take_up(state, place, begin):
    """Puts the newest checkpoint into `state`; where there is none, `begin()` fills step 0."""
    if not checkpoints.restore(state, place.run_dir):
        begin()
