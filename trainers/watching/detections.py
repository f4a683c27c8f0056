"""What a detector finds, in TensorBoard: validation pictures, as labelled and as found."""

import pathlib

import keras
import numpy as np

from trainers.judging.detection import sheets
from trainers.watching import pictures

SHOWN = 4


class Detections(keras.callbacks.Callback):
    """Pictures with boxes at some of the rounds' ends: `rounds` knows what was found last."""

    def __init__(self, recipe, state, rounds, run_dir):
        super().__init__()
        self.recipe, self.state, self.rounds = recipe, state, rounds
        self.folder = pathlib.Path(run_dir) / pictures.FOLDER

    def on_train_begin(self, logs=None):
        pictures.kept(self.folder, self.state.step)

    def on_epoch_end(self, epoch, logs=None):
        step = self.state.step
        if not pictures.is_due(step, self.recipe) or self.rounds.seen is None:
            return
        source = self.rounds.source
        read = sheets.reader(source, self.rounds.contract)
        places = np.linspace(0, source.length - 1, SHOWN).astype(int)
        with pictures.events(self.folder, step):
            for number in np.unique(places).tolist():
                sides = self.both(read(number), number)
                pictures.write_image(f"detections/{number}", np.concatenate(sides, axis=1), step)

    def both(self, pixels, number):
        """Labelled and found, side by side."""
        seen = self.rounds.seen
        return [
            np.asarray(sheets.labelled(pixels, seen.truth, number)),
            np.asarray(sheets.detected(pixels, seen.truth, seen.found, number, seen.least_shown)),
        ]
