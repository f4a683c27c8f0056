"""Before any test: two logical CPUs in each test process, so that replicas can be tried in it."""

import gc

import tensorflow as tf

gc.freeze()  # modules stay: collections need not walk through them again and again

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration(), tf.config.LogicalDeviceConfiguration()],
)
