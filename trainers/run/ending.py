"""How a program that trains ends: its last words, its exit code, its workers together."""

import contextlib
import shlex
import signal
import sys

import tensorflow as tf

from trainers.engine import cluster, distribute
from zoo import program


@contextlib.contextmanager
def in_order(place):
    """Inside, a lost worker ends this one with a sentence; all workers leave together."""
    several = distribute.is_cluster(place.strategy)
    try:
        yield
        if several:
            cluster.end_together(lambda x: distribute.any_worker(place.strategy, x), place.chief)
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        cluster.leave(program.name(), error)


def say(trained):
    """The last words; exit code 130 after Ctrl-C, as a shell expects."""
    if trained.stopped_by:
        command = shlex.join(["python", "-m", program.name(), *sys.argv[1:]])
        print(f"stopped at step {trained.step:,}; resume with: {command}")
        raise SystemExit(130 if trained.stopped_by == signal.SIGINT else 0)
    task, run_dir = trained.task, trained.run_dir
    figure = task.format(task.watched, trained.last[f"validation_{task.watched}"]).strip()
    print(
        f"trained: validation {task.watched} {figure} after {trained.step:,} steps; "
        f"see tensorboard --logdir={run_dir}, then python -m trainers.evaluate --run_dir={run_dir}"
    )
