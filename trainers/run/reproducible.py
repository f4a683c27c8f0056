"""The weights that a seed means, whatever else draws random numbers in the process."""

import contextlib
import random
import threading

_ONE_AT_A_TIME = threading.Lock()  # Python's generator is the whole process'


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
