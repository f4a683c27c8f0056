"""Keras' dtype policy, for as long as layers are made."""

import contextlib

import keras


@contextlib.contextmanager
def policy(name):
    """Inside, new layers compute in the policy `name`, such as "mixed_bfloat16".

    Afterwards the thread's own policy is as before, after an error too.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
