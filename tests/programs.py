"""Programs as real processes, forked from one that has imported TensorFlow and Keras already.

That import is most of a short program's time. Each process has its own memory, signals and exit
code, as behind `python -m`; tests of the start itself, of its imports and of TensorFlow's own
messages start an interpreter of their own.
"""

import contextlib
import ctypes
import functools
import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import weakref

import tensorflow as tf

from zoo import starting

# absl::SetMinLogLevel as TensorFlow 2.21 exports it.
SET_LEVEL = "_ZN4absl12lts_2025081414SetMinLogLevelENS0_18LogSeverityAtLeastE"
TESTS = pathlib.Path(__file__).parent


def run(module, *arguments, **more):
    """The program's end, as `subprocess.run` with `capture_output` and `text` tells it."""
    timeout = more.pop("timeout", 300)
    started = Started(module, *arguments, **more)
    try:
        output, errors = started.communicate(timeout)
    except subprocess.TimeoutExpired:
        started.kill()
        raise
    return subprocess.CompletedProcess(started.args, started.returncode, output, errors)


class Started:
    """A program under way, with `subprocess.Popen`'s words; what it says is kept in memory."""

    def __init__(self, module, *arguments, cwd=None, env=None):
        self.args = [module, *map(str, arguments)]
        self._said = [os.memfd_create(name) for name in ("output", "errors")]
        for descriptor in self._said:
            weakref.finalize(self, os.close, descriptor)
        names = [f"/proc/{os.getpid()}/fd/{descriptor}" for descriptor in self._said]
        place = str(cwd or os.getcwd())
        given = (self.args, names, place, dict(os.environ if env is None else env))
        self._process = _context().Process(target=_call, args=given)
        self._process.start()
        self.pid = self._process.pid

    @property
    def returncode(self):
        """The exit code, minus the signal's number of one that ended so, None of a living one."""
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def communicate(self, timeout=None):
        self.wait(timeout)
        return tuple(map(_read, self._said))

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self):
        self._process.kill()


def _read(descriptor):
    with open(f"/proc/self/fd/{descriptor}", errors="replace") as file:
        return file.read()


@functools.cache
def _context():
    """One forking process for each of the test processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["programs_imports"])
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(TESTS), str(TESTS.parent), *filter(None, [before.get("PYTHONPATH")])]
    )
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return context


def _call(words, names, place, environment):
    """In the forked process: the module as `__main__`, its output into the named files."""
    for stream, name in zip((1, 2), names, strict=True):
        file = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, stream)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(place)
    starting.quiet = _quiet_as_told(starting.quiet)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _quiet_as_told(quiet):
    """`quiet`, and TensorFlow's log level, which it takes from the environment at its import."""

    @contextlib.contextmanager
    def told():
        with quiet():
            level = int(os.environ.get("TF_CPP_MIN_LOG_LEVEL", 0))
            ctypes.CDLL("libtensorflow_framework.so.2")[SET_LEVEL](level)
            tf.config.list_physical_devices()  # as its import does once flags are parsed
            yield

    return told
