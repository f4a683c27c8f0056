"""How far a long program has come: a line that moves on a terminal, now and then one elsewhere.

On standard error, since results go to standard output; by programs alone, and not with --quiet.
"""

import contextlib
import time

from absl import flags

from zoo import starting

MOVES_SECONDS = 0.2  # between two states of the line on a terminal
FIRST_SECONDS = 30.0  # until the first line elsewhere; the next ones come after twice as long each
WIDTH = 24  # characters of the bar


def shown():
    """Whether anybody is to see it: of calls from Python nobody is."""
    values = flags.FLAGS
    return values.is_parsed() and "quiet" in values and not values.quiet


def over(items, what, total, each=1):
    """Yields the items; `total` is how many there are in all, each of them counting for `each`."""
    with counting(what, total) as advance:
        for item in items:
            yield item
            advance(each)


@contextlib.contextmanager
def counting(what, total):
    """Yields a function `advance(count)`; the line is gone when the block ends."""
    line = Line(what, total) if shown() else None
    try:
        yield line.advance if line else lambda count=1: None
    finally:
        if line:
            line.clear()


@contextlib.contextmanager
def stage(what):
    """Inside, a terminal shows what is going on, of which nobody can say how far it is."""
    with counting(what, None) as advance:
        advance(0)
        yield


class Line:
    """`what`, a bar, how many of how many, and the time that is left."""

    def __init__(self, what, total, stream=None, clock=time.monotonic):
        self.what, self.total, self.clock = what, total, clock
        self.stream = starting.unfiltered() if stream is None else stream
        self.terminal = self.stream.isatty()
        self.done, self.start, self.drawn = 0, clock(), False
        self.due = self.start + (0 if self.terminal else FIRST_SECONDS)

    def advance(self, count=1):
        self.done += count
        now = self.clock()
        if now < self.due:
            return
        passed = now - self.start
        self.due = now + (MOVES_SECONDS if self.terminal else passed)
        self.write(f"\r\033[K{self.text(passed)}" if self.terminal else f"{self.text(passed)}\n")
        self.drawn = self.terminal

    def text(self, passed):
        """Such as `evaluating [######..................] 64 of 256, 12 s left`."""
        if not self.total:
            return f"{self.what} {self.done or '...'}"
        done = min(self.done, self.total)
        filled = WIDTH * done // self.total
        left = f", {duration(passed * (self.total - done) / done)} left" if done else ""
        bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] " if self.terminal else ""
        return f"{self.what} {bar}{done:,} of {self.total:,}{left}"

    def clear(self):
        if self.drawn:
            self.write("\r\033[K")

    def write(self, text):
        with contextlib.suppress(OSError):  # nobody reads it any more: the work goes on
            self.stream.write(text)
            self.stream.flush()


def duration(seconds):
    """For a person: 45 s, 3 min 20 s, 2 h 5 min."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
