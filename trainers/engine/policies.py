"""What training decides by its own errors: when the warm-up is over, the rate falls, it ends.

All but the warm-up's end follow from the history of finished rounds, so a resumed run decides as
if it had never stopped. On many machines every worker decides, by the same sums.
"""

import keras

from trainers.engine import optim
from trainers.engine.task import Sums

WARM_ERROR = 0.8  # Sec. 4.2: "until the training error is below 80%"
LEAST_GAIN = 1e-4  # of the watched figure, as Keras' ReduceLROnPlateau


def of(recipe, state):
    """The recipe's callbacks; they change `state` and so come before those that write it."""
    chosen = []
    if recipe.warmup == "error" or recipe.schedule == "plateau":
        chosen.append(Steering(recipe, state))
    if recipe.early_stop_rounds:
        chosen.append(EarlyStop(recipe, state))
    return chosen


def best(history, task):
    """The round whose watched figure is best, the first of equals; None without rounds."""
    return min(range(len(history)), key=task.costs(history).__getitem__) if history else None


def plateaus(costs, patience):
    """How often the lowest cost so far was not undercut for `patience` rounds: a count."""
    lowest, waited, count = float("inf"), 0, 0
    for cost in costs:
        if cost < lowest - LEAST_GAIN:
            lowest, waited = cost, 0
        else:
            waited += 1
        if waited == patience:
            waited, count = 0, count + 1
    return count


class Steering(keras.callbacks.Callback):
    """Sets the learning rate's factor: below 1 while warming up, a tenth for each plateau."""

    def __init__(self, recipe, state):
        super().__init__()
        self.recipe, self.state = recipe, state
        self.factor = optim.innermost(state.optimizer).schedule.factor

    def on_train_begin(self, logs=None):
        if self.recipe.warmup != "error":
            self.state.warmed_up = True
        self.set()

    def on_train_batch_end(self, batch, logs=None):
        state = self.state
        if state.warmed_up or state.step % self.recipe.warmup_steps:
            return
        window = state.sums - state.window_start
        state.warmed_up = state.task.means(window)["error"] < WARM_ERROR
        state.window_start = state.sums
        self.set()

    def on_epoch_end(self, epoch, logs=None):
        self.state.window_start = Sums()
        self.set()

    def set(self):
        factor = 1.0
        if not self.state.warmed_up:
            factor = self.recipe.warmup_learning_rate / self.recipe.learning_rate
        if self.recipe.schedule == "plateau":
            costs = self.state.task.costs(self.state.history)
            factor /= 10 ** plateaus(costs, self.recipe.patience_rounds)
        self.factor.assign(factor)


class EarlyStop(keras.callbacks.Callback):
    """Ends training when the watched figure has not become better for some rounds."""

    def __init__(self, recipe, state):
        super().__init__()
        self.rounds, self.state = recipe.early_stop_rounds, state

    def on_train_begin(self, logs=None):
        if plateaus(self.state.task.costs(self.state.history), self.rounds):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        self.on_train_begin()
