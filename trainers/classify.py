"""python -m trainers.classify: train a classifier; the same command again resumes it.

Without flags: resnet8 on scikit-learn's digits, about a minute on two CPU cores. A run directory
receives checkpoints, TensorBoard logs, metrics.jsonl, flags.txt, manifest.json and weights.
"""

import pathlib
import shlex
import signal
import sys

from absl import flags

from trainers import flags as trainer_flags
from zoo import program

trainer_flags.define()
_RUN_DIR = flags.DEFINE_string("run_dir", None, "where the run lives; default: runs/MODEL_DATA")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; TFDS has its own default")
_STRATEGY = flags.DEFINE_enum(
    "strategy", "auto", ("auto", "none", "mirrored"), "auto mirrors over all GPUs, if there are any"
)
_LOGICAL_DEVICES = flags.DEFINE_integer(
    "logical_devices", 1, "split the CPU, to try replication anywhere", lower_bound=1
)
_CHECKPOINT_STEPS = flags.DEFINE_integer(
    "checkpoint_steps", 1000, "save every so often, besides the end of each round", lower_bound=0
)


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    try:
        run = trainer_flags.run()
    except ValueError as error:
        program.usage_error(error)
    run_dir = pathlib.Path(_RUN_DIR.value or f"runs/{run.model}_{run.data}")
    with program.quiet_start():
        from trainers import checkpoints, distribute, runs

        strategy = distribute.strategy(_STRATEGY.value, _LOGICAL_DEVICES.value)
        distribute.check_batch(run.recipe.batch_size, strategy)

    place = runs.Place(run_dir, _DATA_DIR.value, strategy, _CHECKPOINT_STEPS.value)
    data = runs.load_data(run, place.data_dir)
    runs.claim(run, run_dir)
    checkpoints.sweep(run_dir)
    state = runs.build(run, data, strategy)
    resumed = checkpoints.restore(state, run_dir)
    if not resumed:
        runs.set_mean(state, data, run.recipe)
    print(headline(run, data, state, distribute.describe(strategy)), flush=True)
    received = runs.train(run, place, data, state)
    finish(run_dir, state, received)


def headline(run, data, state, devices):
    from zoo import complexity

    start = f"resuming at step {state.step:,}" if state.step else "starting"
    return (
        f"{run.model} ({complexity.parameters(state.model):,} parameters) on {run.data}: "
        f"{data.train.length:,} images to train, {data.validation.length:,} to validate, "
        f"{data.train.num_classes} classes; {devices}; recipe {run.recipe.name}; {start}"
    )


def finish(run_dir, state, received):
    """The last words; exit code 130 after Ctrl-C, as a shell expects."""
    if received:
        command = shlex.join(["python", "-m", "trainers.classify", *sys.argv[1:]])
        print(f"stopped at step {state.step:,}; resume with: {command}")
        raise SystemExit(130 if received == signal.SIGINT else 0)
    last = state.history[-1]
    print(
        f"trained: validation error {last['validation_error']:.2%} after {state.step:,} steps; "
        f"see tensorboard --logdir={run_dir}, then python -m trainers.evaluate --run_dir={run_dir}"
    )


if __name__ == "__main__":
    program.run(main, __doc__)
