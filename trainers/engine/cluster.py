"""Several machines as one: who the workers are, waiting for them, and noticing that one is gone."""

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import time

from zoo import limits, program, texts

WAIT_SECONDS = 10  # between two lines that say whom this worker waits for
PROBE_SECONDS = 0.2  # between two looks whether they are there


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

    A process of its own does it: while TensorFlow waits, no other thread of this one runs. Ctrl-C
    and SIGTERM end the wait, and what follows it until training hears them.
    """
    program.end_at_signals()
    code = "import sys; from trainers.engine import cluster; cluster.watch(sys.argv[1:])"
    watcher = subprocess.Popen(
        [sys.executable, "-c", code, *peers()],
        stdin=subprocess.PIPE,  # closed when this process ends, however it does
        start_new_session=True,  # so a terminal's Ctrl-C is for this process alone
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.communicate()
        program.end_at_signals()  # TensorFlow has taken SIGTERM, and would do nothing with it


def watch(addresses):
    """Names those that do not answer, until the process that asked for it is gone."""
    while not select.select([sys.stdin], [], [], WAIT_SECONDS)[0]:
        absent = [address for address in addresses if not answers(address)]
        if absent:
            print(f"waiting for {', '.join(absent)}", file=sys.stderr, flush=True)


def meet():
    """Waits until every worker listens; ClusterError where this one cannot.

    TensorFlow would wait for them too, but deaf to SIGTERM.
    """
    absent = peers()
    with listener(own_address()) as own:
        while absent := [address for address in absent if not answers(address)]:
            time.sleep(PROBE_SECONDS)
            with contextlib.suppress(BlockingIOError):  # who asks is answered, until none is left
                while True:
                    own.accept()[0].close()


def listener(address):
    """A socket at the port of "host:port", where TensorFlow is going to listen."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    port = int(address.rpartition(":")[2])
    try:
        own = socket.create_server(
            ("", port), family=family, dualstack_ipv6=family == socket.AF_INET6
        )
    except OSError as error:
        raise ClusterError(
            f"this worker cannot listen at {address} ({error.strerror}): see --cluster and --worker"
        ) from None
    own.setblocking(False)
    return own


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
    text = str(error)
    if "stopped sending heartbeats" in text:  # the chief's word, of these
        silent = re.findall(r"^/job:worker/replica:\d+/task:(\d+)", text, re.MULTILINE)
        return f"no heartbeat of worker {', '.join(silent)}"
    if "CoordinationService/Heartbeat" in text:  # it is the chief that is asked
        return "no answer to a heartbeat of worker 0"
    telling = program.telling(error)
    said = re.sub(r".*aborted by: ", "", telling[0])
    asked = re.search(r"remote target /job:worker/replica:\d+/task:(\d+)", text)
    return f"worker {asked[1]}: {said:.130}" if asked else f"{said:.130}"
