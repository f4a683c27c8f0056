"""A tf.data service: machines that make the batches for those that train on them."""

import socket
import urllib.parse

import tensorflow as tf

from trainers.data import sources


def start(port: int):
    """A dispatcher at `port` and a worker beside it, as long as what is returned is kept.

    One worker, which uses all its cores: from several the batches would come in any order.
    """
    dispatcher = tf.data.experimental.service.DispatchServer(
        tf.data.experimental.service.DispatcherConfig(port=port)
    )
    address = dispatcher.target.removeprefix("grpc://")
    worker = tf.data.experimental.service.WorkerServer(
        tf.data.experimental.service.WorkerConfig(dispatcher_address=address)
    )
    return dispatcher, worker


def check(address: str, source) -> None:
    """DataError unless somebody listens at `address` and the source can be read over there."""
    parts = urllib.parse.urlsplit(address)
    if parts.scheme != "grpc" or not parts.hostname or not parts.port:
        raise sources.DataError(f"--data_service: expected grpc://host:port, got {address}")
    if not source.portable:
        raise sources.DataError(
            f"{source.name}: its records are read by Python, which a tf.data service cannot run: "
            "leave --data_service out, or give the images as --data=folder"
        )
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    except OSError as error:
        raise sources.DataError(
            f"--data_service: nobody answers at {address} ({error.strerror or error}): start "
            f"python -m trainers.data.serve --port={parts.port} there"
        ) from None
