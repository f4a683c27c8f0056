"""Flags -> tf.distribute strategy, and who feeds which replica."""

import functools
import pathlib
import sys

import numpy as np
import tensorflow as tf

from trainers.data.pipelines import Slice
from trainers.engine import cluster
from zoo import program


class DeviceError(ValueError):
    """Devices that were asked for and are not there."""


def strategy(name="auto", logical_devices=1):
    """The strategy; call before anything else touches a device.

    `auto` mirrors over all GPUs, or takes the CPU when there is none. `multiworker` is told of its
    cluster by TF_CONFIG. `logical_devices` splits the CPU, so that replication can be tried
    anywhere.
    """
    if logical_devices > 1:
        split_cpu(logical_devices)
    return STRATEGIES[name](logical_devices)


def split_cpu(count):
    """Makes at least so many logical devices of the CPU; DeviceError where that is too late."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) >= count:
        return
    try:
        parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
        tf.config.set_logical_device_configuration(cpu, parts)
    except RuntimeError:
        raise DeviceError(
            f"--logical_devices={count}: TensorFlow uses the CPU as a whole already; ask for its "
            "parts before anything else, in a new process"
        ) from None


def _auto(logical_devices):
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and pathlib.Path("/dev/nvidia0").exists():
        print(
            "warning: there is an NVIDIA device, and TensorFlow cannot use it; "
            "--verbosity=1 shows why, BUILD.md what to install",
            file=sys.stderr,
        )
    return _mirrored(logical_devices) if gpus or logical_devices > 1 else _none()


def _none(logical_devices=1):
    return tf.distribute.get_strategy()


@functools.cache
def _mirrored(logical_devices):
    """One a process: a second one counts its sums anew, and would meet the first one's shapes."""
    if logical_devices > 1:
        return tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(logical_devices)])
    return tf.distribute.MirroredStrategy()


def _multiworker(logical_devices):
    cluster.meet()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.UnknownError:
        raise DeviceError(
            f"this worker cannot listen at {cluster.own_address()}: the port is taken, or the "
            "address is another machine's; see --cluster and --worker"
        ) from None


def _tpu(logical_devices):
    """Wired as TensorFlow's guide has it; no TPU was at hand to try it."""
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, OSError, tf.errors.OpError) as error:
        raise DeviceError(
            f"--strategy=tpu: expected a TPU, found none: {program.telling(error)[0]:.100}"
        ) from None
    return tf.distribute.TPUStrategy(resolver)


STRATEGIES = {
    "auto": _auto,
    "none": _none,
    "mirrored": _mirrored,
    "multiworker": _multiworker,
    "tpu": _tpu,
}


def is_chief(strategy):
    """Whether this process writes the run directory; the others write nothing."""
    resolver = strategy.cluster_resolver
    return not is_cluster(strategy) or resolver.task_id == 0


def is_cluster(strategy):
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def describe(strategy):
    """For a person: "1 CPU", "2 replicas on CPU", "2 replicas on CPU, of 2 workers"."""
    replicas = strategy.num_replicas_in_sync
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if is_cluster(strategy):
        workers = strategy.cluster_resolver.cluster_spec().num_tasks("worker")
        return f"{replicas} replicas on {device}, of {workers} workers"
    return f"1 {device}" if replicas == 1 else f"{replicas} replicas on {device}"


def check_recipe(recipe, accumulate, strategy):
    """DeviceError unless a part of the batch divides over the replicas, by pairs if images mix."""
    check_batch(recipe.batch_size // accumulate, strategy)
    if recipe.pairs:
        check_pairs(recipe.batch_size, strategy)


def check_batch(batch_size, strategy):
    """DeviceError unless the global batch divides evenly over the replicas."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise DeviceError(
            f"--batch_size={batch_size} does not divide by {replicas} replicas: "
            f"take {batch_size - batch_size % replicas or replicas}"
        )


def check_pairs(batch_size, strategy):
    """DeviceError unless each replica's images pair up, which mixup and cutmix ask for."""
    images = batch_size // strategy.num_replicas_in_sync
    if images % 2:
        raise DeviceError(
            f"mixup and cutmix take images by pairs: --batch_size={batch_size} gives each replica "
            f"{images}, take {batch_size + strategy.num_replicas_in_sync}"
        )


def feed(strategy, make_dataset):
    """An iterator of one batch a replica: `make_dataset(Slice)` gives batches of a process."""
    return iter(shared_out(strategy, make_dataset))


def shared_out(strategy, make_dataset):
    """What `feed` iterates over; tracing it takes seconds, iterating over it again does not."""
    if strategy is tf.distribute.get_strategy():  # the default one, outside any scope
        return make_dataset(Slice())
    replicas = strategy.num_replicas_in_sync

    def of_process(context):
        count = replicas // context.num_input_pipelines
        return make_dataset(Slice(replicas, context.input_pipeline_id * count, count))

    return strategy.distribute_datasets_from_function(of_process)


def any_worker(strategy, flag):
    """Whether `flag` is true on any worker: all learn it at the same point of their programs."""
    if not is_cluster(strategy):
        return flag
    total = strategy.reduce(
        tf.distribute.ReduceOp.SUM,
        strategy.experimental_distribute_values_from_function(lambda _: tf.constant(float(flag))),
        axis=None,
    )
    return bool(total > 0)


TOLD_BYTES = 16_384  # of each worker: one length for all, else they would wait for ever


def tell(strategy, text):
    """The texts of all workers of a cluster, in their order: all learn them at the same point."""
    resolver = strategy.cluster_resolver
    workers = resolver.cluster_spec().num_tasks("worker")
    own = np.frombuffer(text.encode(), np.uint8)
    if len(own) > TOLD_BYTES:
        raise ValueError(f"expected at most {TOLD_BYTES} bytes to tell, got {len(own)}")
    rows = np.zeros((workers, TOLD_BYTES), np.float32)  # the type that NCCL and CPUs add alike
    rows[resolver.task_id, : len(own)] = own
    replicas = strategy.num_replicas_in_sync // workers

    def of_replica(context):
        first = context.replica_id_in_sync_group % replicas == 0  # it speaks for its worker
        return tf.constant(rows if first else np.zeros_like(rows))

    values = strategy.experimental_distribute_values_from_function(of_replica)
    total = strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None).numpy()
    return [row.astype(np.uint8).tobytes().rstrip(b"\0").decode() for row in total]
