"""Room for Keras' recursion: it walks a functional graph one Python frame, or more, an op."""

import contextlib
import sys

FRAMES_A_LAYER = 12  # measured: Keras 3.15 takes 4 to 7 frames for each op on the longest path


@contextlib.contextmanager
def room_for(layers):
    """Raises the interpreter's recursion limit to fit a chain of `layers`, then puts it back."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 1000 + FRAMES_A_LAYER * layers))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
