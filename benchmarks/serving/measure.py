"""What a process of `benchmarks.serving` does: it loads an artifact, asks it, takes the time."""

import itertools
import pathlib
import resource

from benchmarks import clock
from benchmarks.serving import profile, runtimes

HELD_OUT = "held_out.npz"  # `pixels`, and the `first` class that the network gives to each
CALLS = {1: (3, 15), 32: (0, 3)}  # images: calls to warm up, and timed, at least
TIMED_SECONDS = 0.5  # at least: a small network answers in a fraction of a millisecond
ONE, MANY = "seconds_a_call_with_1", "seconds_a_call_with_32"


def measure(name, folder, group):
    """A contender's figures, all of one process."""
    load, path = loader(name, folder, group)
    before, start = memory(), clock.now()
    run, dtype = load()
    figures = {"seconds_to_load": clock.since(start)}
    pixels, expected = held_out(folder, dtype)
    start = clock.now()
    run(pixels[:1])
    figures["seconds_of_the_first_answer"] = clock.since(start)
    clock.processors()  # forgotten: one processor loads, all of them answer
    figures["megabytes_of_memory"] = memory() - before
    figures[ONE] = seconds_a_call(run, pixels[:1])
    batches = [run(pixels[i : i + 32]) for i in range(0, len(pixels), 32)]
    figures[MANY] = seconds_a_call(run, pixels[:32])
    if path:  # PyTorch's weights are its own
        figures["megabytes"] = runtimes.megabytes(path)
        same = [
            scores.argmax() == first for scores, first in zip(itertools.chain(*batches), expected)
        ]
        figures["same_first_class"] = sum(map(float, same)) / len(same)
    return figures


def calls(name, folder, group):
    """A contender, loaded and warm: a function () -> the seconds of its calls."""
    load, _ = loader(name, folder, group)
    run, dtype = load()
    pixels, _ = held_out(folder, dtype)
    run(pixels[:32])
    return lambda: {ONE: seconds_a_call(run, pixels[:1]), MANY: seconds_a_call(run, pixels[:32])}


def memory():
    """Megabytes that the process holds."""
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / 1e6


def loader(name, folder, group):
    """(function that loads, path of the artifact or None) of a contender."""
    runtime, file = runtimes.CONTENDERS[name]
    path = pathlib.Path(folder) / file if file else None
    return runtime(path or group), path


def held_out(folder, dtype):
    """(pixels as the artifact takes them, the network's own first classes)."""
    import numpy as np

    with np.load(pathlib.Path(folder) / HELD_OUT) as found:
        return found["pixels"].astype(dtype), found["first"]


def seconds_a_call(run, pixels):
    warm_up, timed = CALLS[len(pixels)]
    for _ in range(warm_up):
        run(pixels)
    seconds = []
    while len(seconds) < timed or sum(seconds) < TIMED_SECONDS:
        start = clock.now()
        run(pixels)
        seconds.append(clock.since(start))
    return min(seconds)  # all else on a machine only ever adds


def layers(name, folder, group):
    """The seconds of a call with 8 images by kind of operation, of a file that OpenVINO reads."""
    _, path = loader(name, folder, group)
    pixels, _ = held_out(folder, "float32")
    return {"kinds": profile.of_openvino(path, pixels[:8], calls=10)}


def one_call(name, folder, group):
    """The seconds of one call with 32 images, between two marks in oneDNN's log."""
    load, _ = loader(name, folder, group)
    run, dtype = load()
    pixels, _ = held_out(folder, dtype)
    for _ in range(2):
        run(pixels[:32])
    print(profile.MARK, flush=True)
    start = clock.now()
    run(pixels[:32])
    return {"seconds": clock.since(start)}
