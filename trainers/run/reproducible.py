"""The global settings that a run's bits depend on, lent to it and put back.

A notebook's own precision and random numbers stay what they were, and a second run in the same
process gets the bits that a process of its own would get.
"""

import contextlib
import random
import threading

import keras

_ONE_AT_A_TIME = threading.Lock()  # Python's generator is the whole process'


@contextlib.contextmanager
def precision(name):
    """Inside, new layers compute in Keras' policy `name`; of this thread alone."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def weights_of(seed):
    """Inside, Keras' initializers draw what `keras.utils.set_random_seed(seed)` would have given.

    They take their seeds from Python's generator, and everything after that is stateless.
    """
    with _ONE_AT_A_TIME:
        before = random.getstate()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(before)
