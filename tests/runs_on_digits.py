"""Real training processes for the tests: one, or a cluster of them on 127.0.0.1."""

import contextlib
import json
import socket
import sys
import time

import programs
from keras.ops import convert_to_numpy as convert

from zoo import archive

CLOCK = ("images_per_second", "input_wait")  # of a record, what no two runs have the same
# Everything that a run may remember besides its weights.
REMEMBERING = (
    *("--ema=0.9", "--mixup=0.2", "--cutmix=1", "--policy=rand", "--label_smoothing=0.1"),
    *("--warmup=error", "--warmup_learning_rate=0.02", "--warmup_steps=4"),
    *("--schedule=plateau", "--patience_rounds=1"),
)
SHORT = ("--steps=60", "--round_steps=20", "--batch_size=16", "--nopictures")


def command(program, *arguments):
    return [sys.executable, "-m", f"trainers.{program}", *map(str, arguments)]


def run(program, *arguments):
    return programs.run(f"trainers.{program}", *arguments)


def records(run_dir):
    """`metrics.jsonl` without what a clock decides."""
    lines = (run_dir / "metrics.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in lines]
    return [{k: v for k, v in r.items() if k not in CLOCK} for r in kept]


def weights(run_dir, kind="model"):
    """Every variable of the archived network by its path."""
    model, _ = archive.load(run_dir, kind)
    return {v.path: convert(v) for v in model.variables}


def wait_for(path, *processes):
    """Until a file matches, or the processes have ended."""
    end = time.time() + 180
    while not list(path.parent.glob(path.name)):
        alive = all(process.poll() is None for process in processes)
        assert alive and time.time() < end, "the run ended or hung"
        time.sleep(0.02)


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def two_workers(run_dir, *arguments, other=()):
    """Starts both, worker 1 with `other` words besides; kills what is left of them in the end."""
    cluster = ",".join(f"127.0.0.1:{port}" for port in free_ports(2))
    common = [f"--run_dir={run_dir}", "--strategy=multiworker", f"--cluster={cluster}"]
    started = [
        programs.Started("trainers.classify", *arguments, *common, f"--worker={i}", *more)
        for i, more in enumerate(((), other))
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def both(run_dir, *arguments, other=()):
    """Runs both workers to their end: [(return code, standard output, standard error), ...]."""
    with two_workers(run_dir, *arguments, other=other) as workers:
        outputs = [worker.communicate(timeout=240) for worker in workers]
        return [(w.returncode, o, spoken(e)) for w, (o, e) in zip(workers, outputs, strict=True)]


def spoken(errors):
    """Standard error without the lines of a worker that was ready before the other."""
    lines = errors.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("waiting for "))
