"""A start that says nothing and imports no more than it needs: TensorFlow's and Keras'."""

import contextlib
import gc
import os
import re
import sys
import threading

from absl import flags

# What TensorFlow 2.21 says at every start on a machine without a GPU, whatever the log level.
START_UP_NOISE = re.compile(
    rb"All log messages before absl::InitializeLog|oneDNN custom operations are on"
    rb"|Could not find cuda drivers|TensorFlow binary is optimized"
    rb"|To enable the following instructions|cuda(rt_stub|_platform)|computation_placer"
)

# What Keras imports wherever it is installed, for wrappers and plots that no program of ours uses.
UNASKED = ("cv2", "matplotlib", "sklearn")


@contextlib.contextmanager
def quiet():
    """Drops TensorFlow's start-up lines unless `--verbosity=1`.

    Import TensorFlow inside, and touch its devices: the last of the lines comes with them.
    """
    if flags.FLAGS.is_parsed() and flags.FLAGS.verbosity >= 1:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors
    with filtered_stderr(START_UP_NOISE):
        yield


def quiet_errors():
    """Before `quiet`: drops TensorFlow's log of errors too, where all come as exceptions."""
    if flags.FLAGS.verbosity < 1:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # fatal ones


@contextlib.contextmanager
def quiet_start():
    """`quiet`, and Keras and its backend imported in half the time that they take by themselves."""
    with quiet():
        _import_keras()
        yield


def _import_keras():
    """Without what Keras is not asked for, and without looking for garbage among its modules."""
    hidden = [name for name in UNASKED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # None: as if it were not installed
    gc.disable()
    try:
        import keras  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.freeze()  # modules stay: later collections need not walk through them
        gc.enable()


_BEHIND_FILTERS = []  # standard error as it is without them, the innermost last


def unfiltered():
    """Standard error as it was before `filtered_stderr`: perhaps a terminal, which that hides."""
    return _BEHIND_FILTERS[-1] if _BEHIND_FILTERS else sys.stderr


@contextlib.contextmanager
def filtered_stderr(noise):
    """Drops the lines that match from standard error, C++'s too; every other line passes."""
    sys.stderr.flush()
    terminal, (reader, writer) = os.dup(2), os.pipe()
    os.dup2(writer, 2)
    os.close(writer)

    def pass_on():
        with os.fdopen(reader, "rb") as lines:
            for line in lines:
                if not noise.search(line):
                    os.write(terminal, line)

    thread = threading.Thread(target=pass_on)
    thread.start()
    _BEHIND_FILTERS.append(open(terminal, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    try:
        yield
    finally:
        _BEHIND_FILTERS.pop().close()
        sys.stderr.flush()
        os.dup2(terminal, 2)  # closes the pipe's last writer, so the thread ends
        thread.join()
        os.close(terminal)
