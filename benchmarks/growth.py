"""python -m benchmarks.growth: how cost grows with multiply-adds, depth and batch.

Of every network of `python -m zoo`: seconds an image in training and in serving, memory, seconds to
build, save, load and export it; of every program: seconds until `--help` is answered. A plain twin
is only trained and served. Without --all the training of resnet1202, which takes minutes to trace,
is left out. Writes reports/speed/growth.json, growth.md and pictures growth_*.png.
"""

import dataclasses
import subprocess
import tempfile
import time

from absl import flags

import zoo
from benchmarks import growth_programs, harness
from zoo import limits, program

_CONTENDER = flags.DEFINE_string("contender", None, "measure this one alone and print its figures")
_QUICK = flags.DEFINE_bool("quick", False, "three small networks, no memory: to see that it works")
_ALL = flags.DEFINE_bool("all", False, "the training of resnet1202 too")
_MODEL = flags.DEFINE_string("model", "resnet8", "the network, for --contender")
_PARTS = flags.DEFINE_list("parts", [], "train, serve, store, export: for --contender=network")
_BATCH_SIZES = limits.DEFINE_numbers("batch_sizes", [8], "of a training step, rising")
_FOLDER = flags.DEFINE_string("folder", None, "where SavedModels lie, for --contender")

MODULE = "benchmarks.growth"
BATCH_SIZES = {"cifar": (8, 32, 128), "imagenet": (2, 4, 8)}  # the last one is timed
EXPORTED = ("resnet18", "resnet20", "resnet50", "resnet110")  # resnet152 takes half a minute
QUICK = ("resnet8", "resnet14", "resnet20")
DEEP = 1000  # layers, beyond which a training takes minutes to trace


@dataclasses.dataclass(frozen=True)
class Task:
    """What one process measures of one network."""

    model: str
    parts: tuple[str, ...]
    batch_sizes: tuple[int, ...] = ()

    def __str__(self):
        return f"{self.model}: {', '.join(self.parts)}"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if _CONTENDER.value:
        harness.run_one(CONTENDERS)
        return
    start = time.perf_counter()
    figures, failed, tasks = {}, {}, quick_plan() if _QUICK.value else plan()
    left_out = [] if _QUICK.value or _ALL.value else [task for task in tasks if takes_long(task)]
    with tempfile.TemporaryDirectory() as folder:
        figures["machine"], failed["machine"] = rate()
        kept = [task for task in tasks if task not in left_out]
        figures["networks"], failed["networks"] = networks(kept, folder)
    calls = 1 if _QUICK.value else 3
    figures["programs"], failed["programs"] = programs(calls)
    figures["bare"] = growth_programs.bare(calls)
    more = {"folder": harness.folder().name, "calls": calls, "left_out": list(map(str, left_out))}
    report(harness.write("growth", figures, failed, **more))
    print(f"written: {harness.folder()}/growth.md, in {time.perf_counter() - start:.0f} s")


def quick_plan():
    return [Task(name, ("train", "serve", "store"), (8,)) for name in QUICK]


def plan():
    """The tasks of every network, by depth."""
    tasks = []
    for name in sorted(zoo.names(), key=lambda name: zoo.find(name).layers):
        spec = zoo.find(name)
        parts = ("train", "serve", "store") + (("export",) if name in EXPORTED else ())
        if spec.plain:
            tasks.append(Task(name, ("train", "serve"), BATCH_SIZES[spec.stem][-1:]))
        elif spec.layers < DEEP:
            tasks.append(Task(name, parts, BATCH_SIZES[spec.stem]))
        else:  # apart, so that a training that fails takes nothing with it
            tasks += [Task(name, ("serve", "store")), Task(name, ("train",), (2, 8))]
    return tasks


def takes_long(task):
    return zoo.find(task.model).layers > DEEP and "train" in task.parts


def rate():
    """What the ideal line is drawn by; without it there is none."""
    found, why = attempt("matmul", "matrix product")
    return found or {}, {"matmul": why} if why else {}


def networks(tasks, folder):
    """({network: figures}, {what failed: why})."""
    found, failed = {}, {}
    for task in tasks:
        figures, why = attempt(
            "network",
            str(task),
            model=task.model,
            parts=",".join(task.parts),
            batch_sizes=",".join(map(str, task.batch_sizes)),
            folder=folder,
        )
        if figures and "export" in task.parts:
            more, why = attempt(
                "load_saved_model",
                f"{task.model}: load SavedModel",
                model=task.model,
                folder=folder,
            )
            figures |= more or {}
        if figures:
            found[task.model] = found.get(task.model, {}) | figures
        if why:
            failed[str(task)] = why
    return found, failed


def attempt(contender, title, **settings):
    """(figures, None) of a process of its own, or (None, why there are none); tells which."""
    start = time.perf_counter()
    try:
        figures, why = harness.alone(MODULE, contender, settings), None
        del figures["threads"]
        told = ", ".join(f"{k} {v:.3g}" for k, v in figures.items() if k.endswith(SHOWN))
    except (subprocess.SubprocessError, ValueError) as error:
        figures, why = None, reason(error)
        told = f"failed: {why}"
    print(f"{title}; {told} ({time.perf_counter() - start:.0f} s)", flush=True)
    return figures, why


SHOWN = ("build_seconds", "_seconds_an_image", "_per_second", "load_saved_model_seconds")


def reason(error):
    if getattr(error, "returncode", 0) == -9:
        return "killed, as systems do when memory runs out"
    return harness.reason(error)


def programs(calls):
    """({program: figures}, {program: why it has none})."""
    found, failed = {}, {}
    for name in growth_programs.names():
        try:
            found[name] = growth_programs.measure(name, calls)
        except subprocess.SubprocessError as error:
            failed[name] = reason(error)
            print(f"{name} --help failed: {failed[name]}", flush=True)
    slowest = max(found, key=lambda name: found[name]["seconds"])
    print(f"--help of {len(found)} programs: {slowest} {found[slowest]['seconds']:.2f} s at most")
    return found, failed


def report(result):
    from benchmarks import growth_figures, growth_section
    from zoo import files

    growth_figures.draw(result, harness.folder())
    files.write_text(harness.folder() / "growth.md", growth_section.section(result))


def network():
    """--contender=network: the parts that are asked for, training first for its memory's sake."""
    from benchmarks import growth_network as costs

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
    from benchmarks import growth_network

    return growth_network.load_saved_model(_FOLDER.value, _MODEL.value)


def matmul():
    from benchmarks import growth_network

    return growth_network.matmul()


CONTENDERS = {"network": network, "load_saved_model": load_saved_model, "matmul": matmul}

if __name__ == "__main__":
    program.run(main, __doc__)
