"""The moving average of the weights, put in the network's place for as long as it is looked at.

Keras' optimizer keeps it (`use_ema`). Keras' own SwapEMAWeights moves the training weights by
rounding when it swaps them; here they come back from a copy, bit for bit. Batch normalisation
keeps the training's statistics, which average over many steps by themselves.
"""

import contextlib

from keras.ops import convert_to_numpy

from trainers.engine import optim

NAME = "ema"  # of the set of weights, on disk and in records


def exists(optimizer):
    """Whether the optimizer keeps an average."""
    return optim.innermost(optimizer).use_ema


@contextlib.contextmanager
def weights(model, optimizer):
    """Inside, the network has the averaged weights."""
    averages = optim.innermost(optimizer)._model_variables_moving_average
    pairs = list(zip(model.trainable_variables, averages, strict=True))
    kept = [convert_to_numpy(variable) for variable, _ in pairs]
    for variable, average in pairs:
        variable.assign(convert_to_numpy(average))
    try:
        yield
    finally:
        for (variable, _), value in zip(pairs, kept, strict=True):
            variable.assign(value)


def judged(evaluate, model, optimizer):
    """A function () -> means of the network, and of its averaged weights as `ema_...`."""
    if not exists(optimizer):
        return evaluate

    def both():
        means = evaluate()
        with weights(model, optimizer):
            averaged = evaluate()
        return {**means, **{f"{NAME}_{name}": value for name, value in averaged.items()}}

    return both
