"""Before any test: two logical CPUs in each test process, so that replicas can be tried in it."""

import gc
import signal

import keras
import pytest
import tensorflow as tf

# In a shell's background Ctrl-C is ignored, and programs under test would inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

gc.freeze()  # modules stay: collections need not walk through them again and again

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration(), tf.config.LogicalDeviceConfiguration()],
)


@pytest.fixture(autouse=True, scope="module")
def seeded_module():
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def seeded():
    """Each test draws the same new networks, whatever ran before it in its process."""
    keras.utils.set_random_seed(0)
