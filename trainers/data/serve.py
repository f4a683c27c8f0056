"""python -m trainers.data.serve --host=ADDRESS: make the batches of a training elsewhere.

Runs until it is stopped, by Ctrl-C or SIGTERM. It needs the images under the same paths as the
machine that trains. It answers at one address of this machine, by which the others know it, and
there to whoever asks: for networks that one trusts.
"""

import os
import socket

from absl import flags

from trainers.data import sources
from zoo import limits, program, texts

_HOST = flags.DEFINE_string("host", "127.0.0.1", "where to answer: an address of this machine")
_PORT = limits.DEFINE_integer("port", 5050, "where to listen; 0 takes a free one")

FREE = "--port=0 takes a free one"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    check_free(_HOST.value, _PORT.value)
    program.end_at_signals()
    with program.quiet_start():
        from trainers.data import service

    dispatcher, worker, address = service.start(_HOST.value, _PORT.value)
    print(f"serving at {address}: --data_service=grpc://{address}", flush=True)
    dispatcher.join()
    del worker


def check_free(host, port):
    """DataError, before TensorFlow is waited for, where this program cannot listen."""
    address = texts.host(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    here = "give an address of this machine"
    tried = {f"--host={host}": ((host, 0), here), f"--port={port}": (("", port), FREE)}
    for flag, (where, way) in tried.items():
        try:
            socket.create_server(where, family=family).close()
        except OSError as error:
            raise sources.DataError(f"{flag}: {os.strerror(error.errno)}; {way}") from None


if __name__ == "__main__":
    program.run(main, __doc__)
