"""A profile of a few steps, where TensorBoard's profile tab looks for it."""

import keras
import tensorflow as tf


class Profile(keras.callbacks.Callback):
    """Records all that the devices and the host do after step `first` until step `last`."""

    def __init__(self, state, run_dir, steps):
        super().__init__()
        self.state, self.run_dir, self.steps = state, str(run_dir), steps
        self.running = False

    def on_train_batch_end(self, batch, logs=None):
        first, last = self.steps
        if self.state.step == first:
            tf.profiler.experimental.start(self.run_dir)
            self.running = True
        elif self.state.step >= last:
            self.stop()

    def on_train_end(self, logs=None):
        self.stop()

    def stop(self):
        if self.running:
            tf.profiler.experimental.stop()
        self.running = False
