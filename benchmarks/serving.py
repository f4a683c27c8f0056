"""python -m benchmarks.serving --run_dir=DIR: every format of ours beside its runtime's own way.

Prints a Markdown table: size, milliseconds a call for one image and for a batch, speed as a
multiple of keras.Model.export's, and agreement with the trained network. All contenders are loaded
in one process and called in turn, A B A B ..., with as many threads as there are cores; times are
the median and (least), speeds the ratio of the least, which a busy machine disturbs least. Without
--run_dir the network of --model, with random weights and statistics: its speed means something,
its agreement little. Needs the extras lite, onnx and openvino.
"""

import functools
import pathlib
import statistics
import tempfile
import time

from absl import flags

from zoo import program

_RUN_DIR = flags.DEFINE_string("run_dir", None, "a trained run")
_MODEL = flags.DEFINE_string("model", "resnet50", "without --run_dir: a network of `python -m zoo`")
_ROUNDS = flags.DEFINE_integer("rounds", 30, "calls of each contender with one image", 3)
_LARGE_ROUNDS = flags.DEFINE_integer("large_rounds", 8, "calls with a batch", 3)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "images in a batch", 2)

PEER = "keras.Model.export"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    with program.quiet_start():
        from benchmarks import serving_peers as peers
        from export import formats, images, publish

    source = peers.classifier(_RUN_DIR.value, _MODEL.value)
    held_out = images.of_run(source, "validation", 256)
    training = images.of_run(source, "train", 256)
    evidence = images.Evidence(held_out, images.stratified(training, 100))
    with tempfile.TemporaryDirectory() as folder, program.filtered_stderr(formats.NOISE):
        contenders = peers.build(source, evidence, pathlib.Path(folder))
        expected = publish.source_logits(source.model, held_out.pixels).argmax(axis=1)
        agreement = {
            name: (publish.in_batches(contender.run, held_out.pixels).argmax(axis=1) == expected)
            for name, contender in contenders.items()
        }
        times = {}
        plan = {1: _ROUNDS.value, _BATCH_SIZE.value: _LARGE_ROUNDS.value}
        for batch_size, rounds in plan.items():
            batch = held_out.pixels[:batch_size]
            runs = {n: functools.partial(c.run, batch) for n, c in contenders.items()}
            times[batch_size] = alternate(runs, rounds)
    print(f"{source.model.name} on {held_out.origin}\n")
    print(table(contenders, times, agreement))


def alternate(runs, rounds):
    """Milliseconds of each contender, a list each, called in turn after one call to warm up."""
    times = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - begin))
    return times


def table(contenders, times, agreement):
    batches = " | ".join(f"batch {n}, ms | x" for n in times)
    lines = [
        f"| format | runtime | MB | {batches} | same first class |",
        "|---|---|---|" + "---|---|" * len(times) + "---|",
    ]
    for name, contender in contenders.items():
        cells = []
        for of_batch in times.values():
            median, least = statistics.median(of_batch[name]), min(of_batch[name])
            cells.append(f"{median:.3g} ({least:.3g}) | {min(of_batch[PEER]) / least:.2f}")
        right = f"{agreement[name].mean():.1%} of {len(agreement[name])}"
        lines.append(
            f"| {name.partition(' in ')[0]} | {contender.runtime} | {contender.bytes / 1e6:.3g} | "
            f"{' | '.join(cells)} | {right} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    program.run(main, __doc__)
