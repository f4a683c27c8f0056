"""Flags -> tf.distribute strategy, and who feeds which replica."""

import pathlib
import sys

import tensorflow as tf

STRATEGIES = ("auto", "none", "mirrored")


class DeviceError(ValueError):
    """Devices that were asked for and are not there."""


def strategy(name="auto", logical_devices=1):
    """The strategy; call before anything else touches a device.

    `auto` mirrors over all GPUs, or takes the CPU when there is none. `logical_devices` splits
    the CPU, so that replication can be tried on any machine.
    """
    if logical_devices > 1:
        return _mirrored_cpu(name, logical_devices)
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and pathlib.Path("/dev/nvidia0").exists():
        print(
            "warning: there is an NVIDIA device, and TensorFlow cannot use it; "
            "--verbosity=1 shows why, BUILD.md what to install",
            file=sys.stderr,
        )
    if name == "none" or (name == "auto" and not gpus):
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy()


def _mirrored_cpu(name, count):
    if name == "none":
        raise DeviceError(
            f"--logical_devices={count} makes replicas, --strategy=none has one: "
            "leave one of them out"
        )
    parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    return tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(count)])


def describe(strategy):
    """For a person: "2 replicas on CPU"."""
    replicas = strategy.num_replicas_in_sync
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return f"1 {device}" if replicas == 1 else f"{replicas} replicas on {device}"


def check_batch(batch_size, strategy):
    """DeviceError unless the global batch divides evenly over the replicas."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise DeviceError(
            f"--batch_size={batch_size} does not divide by {replicas} replicas: "
            f"take {batch_size - batch_size % replicas or replicas}"
        )


def feed(strategy, make_dataset):
    """An iterator of one batch a replica: `make_dataset(Slice)` gives batches of a process."""
    from trainers.data.pipelines import Slice

    replicas = strategy.num_replicas_in_sync
    if not isinstance(strategy, tf.distribute.MirroredStrategy):
        return iter(make_dataset(Slice()))

    def of_process(context):
        count = replicas // context.num_input_pipelines
        return make_dataset(Slice(replicas, context.input_pipeline_id * count, count))

    return iter(strategy.distribute_datasets_from_function(of_process))
