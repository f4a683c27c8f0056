"""A headless Chromium, driven by its own DevTools protocol over two pipes: no port, no package.

The browser is the one that CHROMIUM names, or one that is installed, or `@sparticuz/chromium`,
whose npm package has the program itself within and is kept in the user's cache.
"""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import select
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time

from export import npm
from zoo import files

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",  # root has none
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-pipe",
]


class Browser:
    """One page: `call` is a DevTools command, `evaluate` an expression whose promise is awaited."""

    def __init__(self, program, folder, environment=None):
        ours, theirs = os.pipe(), os.pipe()  # what it reads, what it writes

        def as_three_and_four():
            reader, writer = os.dup(ours[0]), os.dup(theirs[1])
            os.dup2(reader, 3)
            os.dup2(writer, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            preexec_fn=as_three_and_four,
            close_fds=False,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self.writer, self.reader = ours[1], theirs[0]
        self.number, self.left, self.events, self.session = 0, b"", [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "DOM", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, seconds=60, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            answer = self.receive(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, end):
        while b"\0" not in self.left:
            if not select.select([self.reader], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            read = os.read(self.reader, 2**20)
            if not read:
                raise RuntimeError("the browser has ended")
            self.left += read
        message, _, self.left = self.left.partition(b"\0")
        return json.loads(message)

    def evaluate(self, expression, seconds=60):
        answer = self.call(
            "Runtime.evaluate",
            seconds,
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until(f"document.URL === {json.dumps(url)} && document.readyState === 'complete'")

    def press(self, key, code):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
            )

    def until(self, expression, seconds=60):
        """Waits until the expression is true, and returns it."""
        end = time.monotonic() + seconds
        while not (found := self.evaluate(expression)):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {seconds} s: {expression}")
            time.sleep(0.05)
        return found

    def close(self):
        with contextlib.suppress(Exception):
            self.session = None
            self.call("Browser.close", 5)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        os.close(self.writer)
        os.close(self.reader)


def installed():
    """The program of a browser on this machine, or None."""
    chosen = os.environ.get("CHROMIUM")
    return chosen or next((path for name in NAMES if (path := shutil.which(name))), None)


CHROMIUM = npm.Package(
    "@sparticuz/chromium",
    "153.0.0",
    "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==",
)
UNPACK = """
const [source, target] = process.argv.slice(1), fs = require("fs"), zlib = require("zlib");
fs.writeFileSync(target, zlib.brotliDecompressSync(fs.readFileSync(source)));
"""


def fetched():
    """(program, environment) of npm's Chromium, which brings the libraries that it needs."""
    folder = npm.cache() / f"chromium-{CHROMIUM.version}"
    program = folder / "chromium"
    if not program.exists():
        files.make_directory(folder)
        for name in ("al2023.tar", "swiftshader.tar", "chromium"):
            with files.replacing(folder / name) as temporary:
                packed = folder / f"{name}.br"
                npm.copy(CHROMIUM, {f"bin/{name}.br": packed.name}, folder)
                subprocess.run(["node", "-e", UNPACK, packed, temporary], check=True)
                packed.unlink()
                temporary.chmod(0o755)
            if name.endswith(".tar"):
                with tarfile.open(folder / name) as libraries:
                    libraries.extractall(folder, filter="data")
    return program, {"LD_LIBRARY_PATH": str(folder / "lib")}


def any_browser():
    """(program, environment), or ExportError with what stands in the way."""
    program = installed()
    return (program, {}) if program else fetched()


@contextlib.contextmanager
def opened(program, environment=None):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder, environment)
        try:
            yield browser
        finally:
            browser.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def static_server(folder):
    """The address of Python's own static server on a folder, as `python -m http.server` is."""
    handler = functools.partial(Quiet, directory=str(pathlib.Path(folder)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
