"""Everything that a run is, as one object that one checkpoint holds."""

import json

import tensorflow as tf

from trainers.engine.metrics import CLASSIFICATION
from trainers.engine.task import Sums


class State:
    """Network, optimizer, task, and what the host remembers: step, this round's sums, past rounds.

    `history` holds a record a finished round; `metrics.jsonl` and TensorBoard's scalars are
    views of it, so a resumed run shows one unbroken curve. `warmed_up`, and where in `sums` the
    window of the warm-up's error began, are for `policies.Steering`.
    """

    def __init__(self, model, optimizer, task=CLASSIFICATION):
        self.model, self.optimizer, self.task = model, optimizer, task
        self.step = 0
        self.sums = Sums()
        self.history = []
        self.warmed_up, self.window_start = False, Sums()

    def checkpoint(self):
        """A tf.train.Checkpoint of all of it; variables are known by their paths."""
        whole = tf.train.Checkpoint(
            model=_by_path(self.model.variables),
            optimizer=_by_path(self.optimizer.variables),
            host=_Host(self),
        )
        whole.save_counter  # noqa: B018 - made here; else only writing in the background makes it
        return whole


class _Host(tf.train.experimental.PythonState):
    """The host's part as JSON inside the checkpoint's own file, as it was when `note` was called.

    A write in the background asks for it when training has gone on already.
    """

    def __init__(self, state):
        self._state = state
        self.note()

    def serialize(self):
        return self._noted

    def note(self):
        """Keeps what the next write is to hold."""
        state = self._state
        self._noted = json.dumps(
            {
                "step": state.step,
                "sums": _as_list(state.sums),
                "warmed_up": state.warmed_up,
                "window_start": _as_list(state.window_start),
                "history": state.history,
            }
        )

    def _copy_trackable_to_cpu(self, object_map):
        """TensorFlow asks for a copy before it writes in the background; what is noted is one.

        To note it here would not do: TensorFlow calls this within a graph that it traces twice.
        """
        object_map[self] = self

    def deserialize(self, text):
        fields = json.loads(text)
        self._state.step = fields["step"]
        self._state.sums = _as_sums(fields["sums"])
        self._state.warmed_up = fields["warmed_up"]
        self._state.window_start = _as_sums(fields["window_start"])
        self._state.history = fields["history"]


def _as_list(sums):
    return [sums.examples, *sums.totals, sums.wait]


def _as_sums(numbers):
    examples, *totals, wait = numbers
    return Sums(examples, tuple(totals), wait)


def _by_path(variables):
    # Not Checkpoint(model=model): that leaves out the seeds of random layers.
    named = {v.path: v.value for v in variables}
    if len(named) != len(variables):
        raise ValueError("two variables share a path: the checkpoint would lose one")
    return named
