"""python -m export.serve artifacts/demo: a SavedModel over HTTP, for a first try.

Speaks TensorFlow Serving's REST protocol (/v1/models/NAME:predict) and the Open Inference Protocol
(/v2/models/NAME/infer), encoded images and pixels alike. Of a folder of versions the newest is
taken. Needs the extra `serve`. It asks for no password and answers on this machine alone unless
--host says otherwise; Ctrl-C or SIGTERM ends it once it has answered what it has taken. For more
than a try, TensorFlow Serving takes the same folder: docker/ has a compose file.
"""

import os
import pathlib
import re
import socket
from urllib import parse

from absl import flags

from zoo import limits, program, texts
from zoo.limits import LimitError

_HOST = flags.DEFINE_string("host", "127.0.0.1", "where to answer: an address of this machine")
_PORT = limits.DEFINE_integer("port", 8501, "where to listen; 0 takes a free one")
_NAME = flags.DEFINE_string("name", None, "the model's, in addresses; default: the folder's")
_MAX_MB = limits.DEFINE_integer("max_body_mb", 16, "largest request, in megabytes")
_MAX_BATCH = limits.DEFINE_integer("max_batch", 32, "most images of a request, and of a batch")

# What libjpeg and libpng say by themselves of pictures that cannot be read.
DECODERS = re.compile(rb"JPEG library|JPEG data|JPEG file|libpng")
GRACE_SECONDS = 20
CONNECTIONS = 256


def main(directories):
    if len(directories) != 1:
        program.usage_error("expected the directory of one artifact, such as artifacts/demo")
    if _NAME.value and "/" in _NAME.value:
        program.usage_error("--name: expected a name without /, which parts an address")
    listening = listen(_HOST.value, _PORT.value)
    program.end_at_signals()
    program.quiet_errors()  # of a picture that cannot be read the client hears
    with program.quiet_start():
        import uvicorn

        from export.serving import app, model

        directory = model.newest(directories[0])
        loaded = model.load(directory)
    path = pathlib.Path(os.path.abspath(directory))
    name = _NAME.value or (path.parent if path.name.isdecimal() else path).name
    service = app.Service(loaded, name, max_bytes=_MAX_MB.value * 10**6, max_batch=_MAX_BATCH.value)
    tell(loaded, name, directory, listening)
    server = uvicorn.Server(
        uvicorn.Config(
            app.build(service),
            log_level="error",
            access_log=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
        )
    )
    with program.filtered_stderr(DECODERS):
        server.run(sockets=[listening])


def listen(host, port):
    """A socket that listens, before TensorFlow is waited for. LimitError where it cannot."""
    family = socket.AF_INET6 if texts.host(host).version == 6 else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        raise LimitError(
            f"--host={host} --port={port}: {os.strerror(error.errno)}; expected an address of this "
            "machine and a free port, which --port=0 finds"
        ) from None


def tell(loaded, name, directory, listening):
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"serving {name}, version {loaded.version}: {loaded.network}, {loaded.classes} classes")
    request = pathlib.Path(directory) / "samples" / "request.json"
    shown = request if request.is_file() else "request.json"
    print(f"  curl -d @{shown} {url}/v1/models/{parse.quote(name)}:predict", flush=True)


if __name__ == "__main__":
    program.run(main, __doc__)
