"""Before any test: two logical CPUs in each test process, so that replicas can be tried in it."""

import gc
import random
import signal

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
    random.seed(0)


@pytest.fixture(autouse=True)
def seeded():
    """Keras draws a new network's seed from here: the same one, whatever ran before a test.

    TensorFlow's own seed would empty its cache of kernels, a third of some tests' time.
    """
    random.seed(0)
