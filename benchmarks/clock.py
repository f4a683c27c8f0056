"""Seconds of the clock, and of this process' processors in them: the whole of what it times.

Both are needed to tell a round in which the machine stood still from one that was slow.
"""

import time

TIMED = []  # (seconds, seconds of processors)


def now():
    return time.perf_counter(), time.process_time()


def since(start):
    """Seconds since `start`, a `now()`."""
    return between(start, now())


def between(start, end):
    """Seconds of the clock between two `now()`."""
    seconds, processors = (later - sooner for sooner, later in zip(start, end))
    TIMED.append((seconds, processors))
    return seconds


def fastest(call, times):
    """Seconds of the fastest of so many calls, for all else on a machine only ever adds."""

    def seconds():
        start = now()
        call()
        return since(start)

    return min(seconds() for _ in range(times))


def processors():
    """{"processors": how many were kept busy} in all that was timed, and forgets it."""
    seconds, busy = (sum(column) for column in zip(*TIMED)) if TIMED else (0, 0)
    TIMED.clear()
    return {"processors": busy / seconds} if seconds else {}
