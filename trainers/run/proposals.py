"""`proposals.npz`: what a localiser proposed on a run's training pictures, once for all its starts.

So a batch stays a function of (seed, step) on any machine, and a resumed run starts at once.
"""

import json
import pathlib
import zipfile

import numpy as np

from trainers.data.boxes import single
from trainers.judging.localisation import guessing, proposing
from trainers.run.directory import RunError
from zoo import files

NAME = "proposals.npz"


def kept(proposer, source, facts, path, goes_on, batch_size=1):
    """Pictures (N,) int64 and boxes (N, 4) int32 of `path`, made where they are not there yet.

    `facts`, JSON's, are what they depend on. RunError where a run that goes on has others.
    """
    path, about = pathlib.Path(path), json.dumps(facts, sort_keys=True)
    if path.exists():
        picture, boxes, told = read(path)
        if told == about:
            return picture, boxes
        if goes_on:
            raise RunError(
                f"{path} is of another localiser, or of other pictures, than there are now: take "
                "another --run_dir, or what was there"
            )
    picture, boxes = proposed(proposer, source, batch_size)
    with files.replacing(path) as temporary:
        np.savez(temporary, picture=picture.astype(np.int32), boxes=boxes, about=about)
    return picture, boxes


def read(path):
    """Pictures, boxes and the facts of a file. RunError where it is damaged."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as columns:
            return columns["picture"].astype(np.int64), columns["boxes"], str(columns["about"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(
            f"{path} cannot be read ({str(error):.60}): remove it, and it is made anew"
        ) from None


def proposed(proposer, source, batch_size):
    """Boxes of the class that is there, on every picture of a source that can be read."""
    kinds = single.classes(source)[:, None]
    if not proposer.localiser.by_class:
        kinds = np.zeros_like(kinds)
    batches = guessing.batches(source, proposer.input, guessing.Look(batch_size))
    return proposing.proposed(proposer, batches, kinds, source.length).flat()
