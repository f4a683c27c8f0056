"""Several machines as one: who the workers are, waiting for them, and noticing that one is gone."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time

from zoo import limits, program, texts

WAIT_SECONDS = 10  # between two lines that say whom this worker waits for


class ClusterError(ValueError):
    """A description of the cluster that cannot be meant, or a worker that is gone."""


def configure(cluster, worker):
    """Puts `--cluster=host:port,... --worker=I` into TF_CONFIG, where TensorFlow looks for it."""
    if cluster is None and worker is None:
        if "TF_CONFIG" not in os.environ:
            raise ClusterError(
                "--strategy=multiworker needs TF_CONFIG in the environment, or "
                "--cluster=host:port,host:port with --worker=0, 1, ... on each"
            )
        return
    texts.cluster(cluster or "")
    addresses = cluster.split(",")
    if worker is None or not 0 <= worker < len(addresses):
        raise ClusterError(
            f"--worker: expected 0 to {len(addresses) - 1}, a place in --cluster, got {worker}"
        )
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": worker}}
    os.environ["TF_CONFIG"] = json.dumps(config)


def peers():
    """Addresses of the other workers, from TF_CONFIG. ClusterError says what is wrong with it."""
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        workers, task = config["cluster"]["worker"], config["task"]
        own = limits.read("worker", str(task["index"]))  # TensorFlow takes "0" too
        if list(config["cluster"]) != ["worker"] or task["type"] != "worker":
            raise ValueError("other tasks than workers")
        if not isinstance(workers, list) or not own < len(workers):
            raise ValueError("no such worker")
        texts.cluster(",".join(workers))
        return [address for i, address in enumerate(workers) if i != own]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ClusterError(
            'TF_CONFIG: expected {"cluster": {"worker": ["host:port", ...]}, "task": '
            f'{{"type": "worker", "index": 0}}}}, got {limits.shown(os.environ["TF_CONFIG"])} '
            f"({error!r:.100})"
        ) from None


def own_address():
    """This worker's "host:port", from TF_CONFIG."""
    config = json.loads(os.environ["TF_CONFIG"])
    return config["cluster"]["worker"][int(config["task"]["index"])]


@contextlib.contextmanager
def waiting_aloud():
    """Says every few seconds which workers do not answer yet; TensorFlow waits in silence.

    A process of its own does it: while TensorFlow waits, no other thread of this one runs.
    """
    code = "import sys; from trainers.engine import cluster; cluster.watch(sys.argv[1:])"
    watcher = subprocess.Popen([sys.executable, "-c", code, *peers()])
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()


def watch(addresses):
    """Names those that do not answer, until the process that asked for it is gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(WAIT_SECONDS)
        absent = [address for address in addresses if not answers(address)]
        if absent:
            print(f"waiting for {', '.join(absent)}", file=sys.stderr, flush=True)


def answers(address):
    """Whether something listens at "host:port"."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def end_together(any_worker, chief, code=0):
    """Waits for all workers; then all but the chief exit at once, before they miss each other.

    All have come to their end with the first exchange. Who is done with the second may leave; that
    another has not fetched its last words by then is unlikely, and no failure.
    """
    import tensorflow as tf

    any_worker(False)
    with contextlib.suppress(tf.errors.OpError):
        any_worker(False)
    if not chief:
        sys.stdout.flush()
        time.sleep(0.5)
        os._exit(code)


def leave(program, error):
    """Ends this process for a peer that is gone: TensorFlow cannot go on, nor end in order."""
    print(
        f"{program}: a worker of the cluster is gone or does not answer ({reason(error)}); "
        "start the same command again on all of them to resume from the last checkpoint",
        file=sys.stderr,
        flush=True,
    )
    sys.stdout.flush()
    os._exit(1)


def reason(error):
    """TensorFlow's own reason, from among its traces, and the number of the worker it asked."""
    telling = program.telling(error)
    said = re.sub(r".*aborted by: ", "", telling[0])
    said = " ".join([said, *telling[1:2]]) if said.endswith(":") else said  # a list of workers
    asked = re.search(r"remote target /job:worker/replica:\d+/task:(\d+)", str(error))
    return f"worker {asked[1]}: {said:.160}" if asked else f"{said:.160}"
