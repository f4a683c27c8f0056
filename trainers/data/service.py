"""A tf.data service: machines that make the batches for those that train on them."""

import socket

import tensorflow as tf

from trainers.data import sources
from zoo import texts


def start(port: int):
    """A dispatcher at `port` and a worker beside it, as long as what is returned is kept.

    One worker, which uses all its cores: from several the batches would come in any order.
    """
    try:
        dispatcher = tf.data.experimental.service.DispatchServer(
            tf.data.experimental.service.DispatcherConfig(port=port)
        )
    except RuntimeError:  # so it is for TensorFlow 2.21
        raise sources.DataError(
            f"--port={port}: nobody may listen there; --port=0 takes a free one"
        ) from None
    address = dispatcher.target.removeprefix("grpc://")
    worker = tf.data.experimental.service.WorkerServer(
        tf.data.experimental.service.WorkerConfig(dispatcher_address=address)
    )
    return dispatcher, worker


def check(address: str, source) -> None:
    """DataError unless somebody listens at `address` and the source can be read over there."""
    host, port = texts.service(address)
    if not source.portable:
        raise sources.DataError(
            f"{source.name}: its records are read by Python, which a tf.data service cannot run: "
            "leave --data_service out, or give the images as --data=folder"
        )
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise sources.DataError(
            f"--data_service: nobody answers at {address} ({error.strerror or error}): start "
            f"python -m trainers.data.serve --port={port} there"
        ) from None
