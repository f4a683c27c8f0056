"""A run directory belongs to one Run: claimed at first, taken up again where it stopped."""

import pathlib

from trainers.engine import checkpoints
from trainers.plan.flags import as_text, differing
from zoo import files


class RunError(ValueError):
    """A run that cannot start here: what was expected, what is there, what to do."""


def claim(run, place):
    """Makes the directory this Run's, and sweeps what a killed writer left; the chief does it."""
    if place.chief:
        claim_flags(run, place.run_dir)
        checkpoints.sweep(place.run_dir)


def claim_flags(run, run_dir):
    """Writes `flags.txt`, or checks that it says the same: RunError names the flags that differ."""
    path = pathlib.Path(run_dir) / "flags.txt"
    text = as_text(run)
    if path.exists():
        names = differing(text, path.read_text(encoding="utf-8"))
        if names:
            raise RunError(
                f"{run_dir} belongs to a run with other flags: --{', --'.join(names)} differ "
                f"from {path}; take another --run_dir, or the flags that are there"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, text)


def take_up(state, place, begin):
    """Puts the newest checkpoint into `state`; where there is none, `begin()` fills step 0."""
    if not checkpoints.restore(state, place.run_dir):
        begin()
