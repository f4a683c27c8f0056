"""python -m benchmarks.growth: how cost grows with multiply-adds, depth and batch.

Of every network of `python -m zoo`: seconds an image in training and in serving, memory, seconds to
build, save, load and export it; of every program: seconds until `--help` is answered. A plain twin
is only trained and served. Without --all the training of resnet1202, which takes minutes to trace,
is left out. Writes reports/speed/growth.json, growth.md and pictures growth_*.png.
"""

import tempfile
import time

from absl import flags

from benchmarks import harness
from benchmarks.growth import collect, plan, programs
from zoo import limits, program

_CONTENDER = flags.DEFINE_string("contender", None, "measure this one alone and print its figures")
_QUICK = flags.DEFINE_bool("quick", False, "three small networks, no memory: to see that it works")
_ALL = flags.DEFINE_bool("all", False, "the training of resnet1202 too")
_MODEL = flags.DEFINE_string("model", "resnet8", "the network, for --contender")
_PARTS = flags.DEFINE_list("parts", [], "train, serve, store, export: for --contender=network")
_BATCH_SIZES = limits.DEFINE_numbers("batch_sizes", [8], "of a training step, rising")
_FOLDER = flags.DEFINE_string("folder", None, "where SavedModels lie, for --contender")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if _CONTENDER.value:
        harness.run_one(CONTENDERS)
        return
    start = time.perf_counter()
    tasks = plan.quick() if _QUICK.value else plan.full()
    left_out = [] if _QUICK.value or _ALL.value else list(filter(plan.takes_long, tasks))
    with tempfile.TemporaryDirectory() as folder:
        found = {"machine": harness.Found(*collect.rate())}
        kept = [task for task in tasks if task not in left_out]
        found["networks"] = harness.Found(*collect.networks(kept, folder))
    calls = 1 if _QUICK.value else 3
    found["programs"] = harness.Found(*collect.programs(calls))
    found["bare"] = harness.Found(programs.bare(calls), {})
    more = {"folder": harness.folder().name, "calls": calls, "left_out": list(map(str, left_out))}
    report(harness.write("growth", found, **more))
    print(f"written: {harness.folder()}/growth.md, in {time.perf_counter() - start:.0f} s")


def report(result):
    from benchmarks.growth import chapter, pictures
    from zoo import files

    pictures.draw(result, harness.folder())
    files.write_text(harness.folder() / "growth.md", chapter.page(result))


def network():
    """--contender=network: the parts that are asked for, training first for its memory's sake."""
    from benchmarks.growth import costs

    already = costs.peak_mib()
    model, figures = costs.build(_MODEL.value)
    if "train" in _PARTS.value:
        figures |= costs.train(model, _BATCH_SIZES.value, already)
    if "serve" in _PARTS.value:
        figures |= costs.serve(model)
    if "store" in _PARTS.value:
        figures |= costs.store(model)
    if "export" in _PARTS.value:
        figures |= costs.export(model, _FOLDER.value)
    return figures


def load_saved_model():
    from benchmarks.growth import costs

    return costs.load_saved_model(_FOLDER.value, _MODEL.value)


def matmul():
    from benchmarks.growth import costs

    return costs.matmul()


CONTENDERS = {"network": network, "load_saved_model": load_saved_model, "matmul": matmul}

if __name__ == "__main__":
    program.run(main, __doc__)
