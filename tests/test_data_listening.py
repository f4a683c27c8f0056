"""A tf.data service answers at one address, tells the trainers that one, and ends when told to."""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import programs
import pytest
import tensorflow as tf
from runs_on_digits import command

from trainers.data import listening

ADDRESSES = ("127.0.0.1", "127.0.0.2", "::1")  # all of them this machine's


def server():
    """A socket that listens as TensorFlow's do: on all addresses of both kinds."""
    return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)


def answers(address, port):
    try:
        socket.create_connection((address, port), timeout=0.3).close()
        return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here")


@needs_ipv6
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_server_answers_at_its_address_alone(address):
    with server() as earlier:
        with listening.only_at(address):
            own = server()
        with own:
            port = own.getsockname()[1]
            assert {x for x in ADDRESSES if answers(x, port)} == {address}
            assert {x for x in ADDRESSES if answers(x, earlier.getsockname()[1])} == {*ADDRESSES}


def ports(pid):
    """Those at which a process listens, by /proc."""
    links = [path.readlink().name for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    tables = (pathlib.Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table.splitlines()]
    own = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links]
    return {int(row[1].rpartition(":")[2], 16) for row in own}


@pytest.mark.parametrize(
    "arguments, host, number",
    [([], "127.0.0.1", signal.SIGINT), (["--host=127.0.0.2"], "127.0.0.2", signal.SIGTERM)],
)
def test_a_service_is_where_it_says_until_it_is_told_to_end(arguments, host, number):
    process = subprocess.Popen(
        command("data.serve", "--port=0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deaf = threading.Timer(60, process.kill)
    deaf.start()
    try:
        address = process.stdout.readline().split()[-1].removeprefix("--data_service=")
        assert address.startswith(f"grpc://{host}:")
        listened = ports(process.pid)  # the dispatcher's and the worker's
        assert len(listened) == 2 and int(address.rpartition(":")[2]) in listened
        for port in listened:
            assert {x for x in ADDRESSES if answers(x, port)} == {host}
        served = tf.data.Dataset.range(3).apply(
            tf.data.experimental.service.distribute("parallel_epochs", address)
        )
        assert [int(number) for number in served] == [0, 1, 2]
        told_at = time.time()
        process.send_signal(number)
        assert process.communicate() == ("", "")
        assert process.returncode == -number  # for a shell 130 and 143
        assert time.time() - told_at < 1
    finally:
        deaf.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "host, code, sentence",
    [
        ("0.0.0.0", 2, "--host: expected one address such as 127.0.0.1, got '0.0.0.0'"),
        ("here", 2, "--host: expected one address such as 127.0.0.1, got 'here'"),
        ("192.0.2.77", 1, "--host=192.0.2.77: Cannot assign requested address; give an address"),
    ],
)
def test_an_address_that_cannot_be_meant(host, code, sentence):
    result = programs.run("trainers.data.serve", "--port=0", f"--host={host}")
    assert result.returncode == code and result.stdout == ""
    assert sentence in result.stderr and result.stderr.count("\n") == 1


def test_looking_for_sockets_leaves_no_file_open(tmp_path):
    """A pipe's copy, left open, would keep its reader waiting for ever."""
    reader, writer = os.pipe()
    with open(tmp_path / "file", "w"), socket.create_server(("127.0.0.1", 0)) as server:
        before = sorted(os.listdir("/proc/self/fd"))
        assert server.fileno() in listening.listening()
        assert sorted(os.listdir("/proc/self/fd")) == before
    os.close(writer)
    assert os.read(reader, 1) == b""
    os.close(reader)
