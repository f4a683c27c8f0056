"""How a program that trains ends: its last words, its exit code, its workers together."""

import contextlib
import functools
import shlex
import signal
import sys

import tensorflow as tf

from trainers.data import skipped
from trainers.engine import cluster, distribute
from trainers.run import alike
from zoo import program

# What a collective raises where a peer is gone or stands still.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)

# The programs, by the task.
JUDGES = {
    "classification": "evaluate",
    "detection": "evaluate_detections",
    "localisation": "evaluate_localisation",
    "refinement": "evaluate_localisation",
}


@contextlib.contextmanager
def in_order(place):
    """Inside, a lost worker ends this one with a sentence; all workers leave together."""

    def leave_together(code=0):
        if distribute.is_cluster(place.strategy):
            any_worker = functools.partial(distribute.any_worker, place.strategy)
            cluster.end_together(any_worker, place.chief, code)

    try:
        try:
            yield
        except alike.DisagreementError as error:
            if not place.chief:
                print(f"{program.name()}: {error}", file=sys.stderr, flush=True)
            leave_together(code=1)
            raise
        leave_together()
    except LOST as error:
        cluster.leave(program.name(), error)


def say(trained):
    """The last words; exit code 130 after Ctrl-C, as a shell expects."""
    if trained.stopped_by:
        command = shlex.join(["python", "-m", program.name(), *sys.argv[1:]])
        print(f"stopped at step {trained.step:,}; resume with: {command}")
        raise SystemExit(130 if trained.stopped_by == signal.SIGINT else 0)
    path = trained.run_dir / skipped.NAME
    if path.exists():
        passed_over = len(path.read_text(encoding="utf-8").splitlines())
        print(f"passed over because they cannot be read: {passed_over:,}, named in {path}")
    task, run_dir = trained.task, shlex.quote(f"--run_dir={trained.run_dir}")
    logdir = shlex.quote(f"--logdir={trained.run_dir}")
    figure = task.format(task.watched, trained.last[f"validation_{task.watched}"]).strip()
    judge = JUDGES[task.name]
    print(
        f"trained: validation {task.watched} {figure} after {trained.step:,} steps; "
        f"see tensorboard {logdir}, then python -m trainers.{judge} {run_dir}"
    )
