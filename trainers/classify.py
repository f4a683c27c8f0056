"""python -m trainers.classify: train a classifier; the same command again resumes it.

Without flags: resnet8 on scikit-learn's digits, about a minute on two CPU cores. A run directory
receives checkpoints, TensorBoard logs, metrics.jsonl, flags.txt, manifest.json and weights.
"""

import contextlib
import pathlib
import shlex
import signal
import sys

from absl import flags

from trainers.engine import cluster
from trainers.plan import flags as trainer_flags
from zoo import limits, program

trainer_flags.define()
_RUN_DIR = flags.DEFINE_string("run_dir", None, "where the run lives; default: runs/MODEL_DATA")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; TFDS has its own default")
_STRATEGY = flags.DEFINE_enum(
    "strategy",
    "auto",
    ("auto", "none", "mirrored", "multiworker", "tpu"),
    "auto mirrors over all GPUs, if there are any; tpu is untried",
)
_LOGICAL_DEVICES = limits.DEFINE_integer(
    "logical_devices", 1, "split the CPU, to try replication anywhere"
)
_CLUSTER = flags.DEFINE_string("cluster", None, "multiworker: host:port of every worker, by commas")
_WORKER = limits.DEFINE_integer(
    "worker", None, "multiworker: this one's place in --cluster, from 0"
)
_CHECKPOINT_STEPS = limits.DEFINE_integer(
    "checkpoint_steps", 1000, "save every so often, besides the end of each round"
)
_STEPS_PER_EXECUTION = limits.DEFINE_integer(
    "steps_per_execution", None, "steps of one call to the device; default: half a second's"
)
_ACCUMULATE = limits.DEFINE_integer(
    "accumulate", 1, "compute the batch in so many parts, one after another, to save memory"
)
_MAX_SKIPPED = limits.DEFINE_float(
    "max_skipped", 0.001, "share of a split that may be unreadable: named in skipped.txt"
)
_DATA_SERVICE = flags.DEFINE_string(
    "data_service", None, "grpc://host:port of a trainers.data.serve that makes the batches"
)
_PROFILE_STEPS = limits.DEFINE_numbers(
    "profile_steps", None, "FROM,TO: record what these steps do, for TensorBoard's profile tab"
)
_BENCHMARK = flags.DEFINE_bool(
    "benchmark", False, "time steps, on noise and on the run's images; train and write nothing"
)
_BENCHMARK_STEPS = limits.DEFINE_integer("benchmark_steps", 20, "steps that are timed")
_PICTURES = flags.DEFINE_bool(
    "pictures",
    True,
    "show TensorBoard images, mistakes, responses, a few times; needs the network's memory twice",
)
_XLA = flags.DEFINE_bool("xla", False, "compile the step by XLA: for GPUs, slower on CPUs")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    try:
        run = trainer_flags.run()
        trainer_flags.check_engine(run, _ACCUMULATE.value, _XLA.value)
        profile_steps()
        if _STRATEGY.value == "multiworker":
            cluster.configure(_CLUSTER.value, _WORKER.value)
            cluster.peers()
    except ValueError as error:
        program.usage_error(error)
    run_dir = pathlib.Path(_RUN_DIR.value or f"runs/{run.model}_{run.data}")
    several = _STRATEGY.value == "multiworker"
    waiting = cluster.waiting_aloud() if several else contextlib.nullcontext()
    with waiting, program.quiet_start():
        import tensorflow as tf

        from trainers.data import stream
        from trainers.engine import distribute

        strategy = distribute.strategy(_STRATEGY.value, _LOGICAL_DEVICES.value)
        distribute.check_batch(run.recipe.batch_size // _ACCUMULATE.value, strategy)
    try:
        with stream.unreadable_named():
            train(run, run_dir, strategy)
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        cluster.leave(error)


def profile_steps():
    """(from, to) or None. ValueError unless they are two steps in order."""
    if _PROFILE_STEPS.value is None:
        return None
    steps = tuple(_PROFILE_STEPS.value)
    if len(steps) != 2 or steps[0] >= steps[1]:
        given = limits.shown(",".join(map(str, steps)))
        raise ValueError(f"--profile_steps: expected two steps such as 100,110, got {given}")
    return steps


def train(run, run_dir, strategy):
    """Build or restore, train, say how it ended."""
    from trainers.data import service
    from trainers.engine import checkpoints, distribute, steps
    from trainers.plan import images
    from trainers.run import runs

    place = runs.Place(
        run_dir,
        _DATA_DIR.value,
        strategy,
        _CHECKPOINT_STEPS.value,
        _STEPS_PER_EXECUTION.value or (10 if distribute.is_cluster(strategy) else 0),
        steps.Engine(_ACCUMULATE.value, _XLA.value),
        _MAX_SKIPPED.value,
        _DATA_SERVICE.value,
        profile_steps(),
        _PICTURES.value,
    )
    data = images.load(run, place.data_dir)
    if place.data_service:
        service.check(place.data_service, data.train)
    else:
        data = images.tolerant(data)
    if _BENCHMARK.value:
        benchmark(run, place, data)
        return
    if place.chief:
        runs.claim(run, run_dir)
        checkpoints.sweep(run_dir)
    state = runs.build(run, data, strategy)
    resumed = checkpoints.restore(state, run_dir)
    if not resumed:
        runs.begin(state, data, run)
    if place.chief:
        print(headline(run, data, state, distribute.describe(strategy)), flush=True)
        if note := trainer_flags.other_batch(run):
            print(note, flush=True)
    received = runs.train(run, place, data, state)
    if distribute.is_cluster(strategy):
        cluster.end_together(lambda flag: distribute.any_worker(strategy, flag), place.chief)
    finish(run_dir, state, received, place.chief)


def benchmark(run, place, data):
    """Prints how fast it would train; on many machines the chief does."""
    from trainers.engine import cluster, distribute
    from trainers.run import benchmark

    timings, multiply_adds = benchmark.measure(run, place, data, _BENCHMARK_STEPS.value)
    devices = distribute.describe(place.strategy)
    if place.chief:
        print(f"{run.model} on {run.data}, {run.precision}; {devices}")
        print(benchmark.table(timings, multiply_adds, devices), flush=True)
    if distribute.is_cluster(place.strategy):
        cluster.end_together(lambda flag: distribute.any_worker(place.strategy, flag), place.chief)


def headline(run, data, state, devices):
    from trainers.plan import transfer
    from zoo import complexity

    start = f"resuming at step {state.step:,}" if state.step else "starting"
    if run.init_from and not state.step:
        start = transfer.describe(run, data.train.class_names)
    counted = "parameters to train" if run.init_from else "parameters"
    return (
        f"{run.model} ({complexity.parameters(state.model):,} {counted}) on {run.data}: "
        f"{data.train.length:,} images to train, {data.validation.length:,} to validate, "
        f"{data.train.num_classes} classes; {devices}; recipe {run.recipe.name}; {start}"
    )


def finish(run_dir, state, received, chief):
    """The last words; exit code 130 after Ctrl-C, as a shell expects."""
    if received:
        command = shlex.join(["python", "-m", "trainers.classify", *sys.argv[1:]])
        print(f"stopped at step {state.step:,}; resume with: {command}")
        raise SystemExit(130 if received == signal.SIGINT else 0)
    if not chief:
        return
    last = state.history[-1]
    print(
        f"trained: validation error {last['validation_error']:.2%} after {state.step:,} steps; "
        f"see tensorboard --logdir={run_dir}, then python -m trainers.evaluate --run_dir={run_dir}"
    )


if __name__ == "__main__":
    program.run(main, __doc__)
