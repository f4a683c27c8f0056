"""python -m trainers.data.serve --port=5050: make the batches of a training elsewhere.

Runs until it is stopped. It needs the images under the same paths as the machine that trains, and
listens on all addresses, to whoever asks: for networks that one trusts.
"""

from absl import flags

from zoo import program

_PORT = flags.DEFINE_integer("port", 5050, "where to listen; 0 takes a free one", 0, 65_535)


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from trainers.data import service

    dispatcher, worker = service.start(_PORT.value)
    port = dispatcher.target.rpartition(":")[2]
    print(f"serving at port {port}: --data_service=grpc://HOST:{port}", flush=True)
    dispatcher.join()
    del worker


if __name__ == "__main__":
    program.run(main, __doc__)
