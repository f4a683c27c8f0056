"""python -m trainers.data.serve --port=5050: make the batches of a training elsewhere.

Runs until it is stopped. It needs the images under the same paths as the machine that trains, and
listens on all addresses, to whoever asks: for networks that one trusts.
"""

import socket

from trainers.data import sources
from zoo import limits, program

_PORT = limits.DEFINE_integer("port", 5050, "where to listen; 0 takes a free one")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    check_free(_PORT.value)
    with program.quiet_start():
        from trainers.data import service

    dispatcher, worker = service.start(_PORT.value)
    port = dispatcher.target.rpartition(":")[2]
    print(f"serving at port {port}: --data_service=grpc://HOST:{port}", flush=True)
    dispatcher.join()
    del worker


def check_free(port):
    """DataError, before TensorFlow is waited for, where this program cannot listen."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            raise sources.DataError(
                f"--port={port}: {error.strerror}; --port=0 takes a free one"
            ) from None


if __name__ == "__main__":
    program.run(main, __doc__)
