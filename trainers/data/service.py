"""A tf.data service: machines that make the batches for those that train on them."""

import socket

import tensorflow as tf

from trainers.data import listening, sources
from zoo import texts


def start(host: str, port: int):
    """(dispatcher, worker, "host:port"), as long as both are kept; they answer at `host` alone.

    One worker, which uses all its cores: from several the batches would come in any order.
    """
    known = f"[{host}]" if ":" in host else host
    try:
        with listening.only_at(host):
            dispatcher = tf.data.experimental.service.DispatchServer(
                tf.data.experimental.service.DispatcherConfig(port=port)
            )
        address = f"{known}:{dispatcher.target.rpartition(':')[2]}"
        with listening.only_at(host):
            worker = tf.data.experimental.service.WorkerServer(
                tf.data.experimental.service.WorkerConfig(
                    dispatcher_address=address,
                    worker_address=f"{known}:%port%",  # what the dispatcher tells the trainers
                )
            )
    except RuntimeError:  # so it is for TensorFlow 2.21
        raise sources.DataError(
            f"--port={port}: nobody may listen there; --port=0 takes a free one"
        ) from None
    except OSError as error:
        raise sources.DataError(
            f"--host={host}: this system cannot keep TensorFlow to one address ({error.strerror})"
        ) from None
    return dispatcher, worker, address


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
            f"python -m trainers.data.serve --host={host} --port={port} there"
        ) from None
