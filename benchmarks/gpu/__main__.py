"""python -m benchmarks.gpu: how fast a machine with GPUs trains and serves ResNet-50.

Training in float32, TF32, bfloat16 and float16, with XLA and without, on one GPU and on more, fed
with noise and with JPEGs; serving of our SavedModel. Each case runs in a process of its own, all
cases in turn, round by round. Writes DEVICE.json after each case and DEVICE.md at the end, with
published figures beside ours; the same command again goes on where it stopped. The network has
v1.5's strides, as the published ones. Without a GPU, to try it: --cpu --model=resnet8 --quick.
"""

import dataclasses
import functools
import pathlib
import re
import subprocess
import tempfile

from absl import flags

from benchmarks import harness, photographs
from benchmarks.gpu import measure, report, results
from benchmarks.gpu.cases import Plan, cases
from benchmarks.gpu.device import Device, describe
from zoo import files, limits, program, specs

harness.define(rounds=3)
_MODEL = flags.DEFINE_string("model", "resnet50", "a network of `python -m zoo`")
_STRIDE = flags.DEFINE_enum("stride", "3x3", specs.STRIDES, "of a bottleneck: the paper's is 1x1")
_IMAGE_SIZE = limits.DEFINE_integer("image_size", None, "px; default: the network's own")
_BATCH_SIZE = limits.DEFINE_integer("batch_size", None, "of one GPU; default: 256, --quick 8")
_STEPS = limits.DEFINE_integer("steps", None, "timed in each round; default: 30, --quick 3")
_GPUS = limits.DEFINE_integer("gpus", None, "at most so many; default: all, on the CPU 2")
_CPU = flags.DEFINE_bool("cpu", False, "try it on the CPU, its parts in the GPUs' place")
_ONLY = flags.DEFINE_list("only", None, "cases in whose names one of these stands, such as bf16")
_RESTART = flags.DEFINE_bool("restart", False, "measure again what is already there")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "JPEGs, a folder a class; default: made here")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", "reports/gpu", "where the report goes")
_FOLDER = flags.DEFINE_string("folder", None, "an earlier call's export, for --contender")
_MULTIPLY_ADDS = limits.DEFINE_integer("multiply_adds", None, "the export's, for --contender")

MODULE = "benchmarks.gpu"


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    try:
        specs.find(_MODEL.value)
    except ValueError as error:
        program.usage_error(error)
    if flags.FLAGS.contender:
        harness.run_one(contenders())
        return
    device = look()
    planned = plan(device.count)
    chosen = [case for case in cases(planned) if wanted(case)]
    if not chosen:
        program.usage_error(f"--only: no case has {' or '.join(_ONLY.value)} in its name")
    path = output(device)
    try:
        found = results.opened(path, settings(), device, restart=_RESTART.value)
    except results.ResultsError as error:
        program.usage_error(error)
    results.enter(found, chosen, device)
    try:
        with tempfile.TemporaryDirectory() as folder:
            fill(found, path, chosen, flagged(planned, pathlib.Path(folder)))
    except KeyboardInterrupt:
        print("stopped: the same command goes on")
        raise SystemExit(130) from None
    finally:
        results.save(path, found)
        files.write_text(path.with_suffix(".md"), report.as_markdown(found))
    print(f"written: {path}, {path.with_suffix('.md')}")


def look():
    """The Device; ends the program where there is no GPU and the CPU was not asked for."""
    if _CPU.value:
        return Device("CPU", _GPUS.value or 2)
    told = harness.alone(MODULE, "device", {})
    device = Device(**{field.name: told[field.name] for field in dataclasses.fields(Device)})
    if device.kind == "CPU":
        program.usage_error(
            "expected a GPU that TensorFlow can use, found none: BUILD.md says what to install; "
            "to try this on the CPU add --cpu --model=resnet8 --quick"
        )
    return device


def plan(devices):
    """What is measured on so many devices."""
    devices = min(devices, _GPUS.value or devices)
    if flags.FLAGS.quick:
        return Plan(devices, _BATCH_SIZE.value or 8, (1, 8), ("fp32", "bf16"), (False,))
    return Plan(devices, _BATCH_SIZE.value or 256)


def wanted(case):
    return _ONLY.value is None or any(part in case.name for part in _ONLY.value)


def settings():
    """What figures of one report must have in common."""
    steps = _STEPS.value or (3 if flags.FLAGS.quick else 30)
    sizes = {"image_size": _IMAGE_SIZE.value, "steps": steps}
    return {"model": _MODEL.value, "stride": _STRIDE.value, **sizes}


def output(device):
    """DEVICE.json; what --quick measures does not replace the rest."""
    folder = pathlib.Path(_OUTPUT_DIR.value) / ("quick" if flags.FLAGS.quick else "")
    return folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', device.name)}.json"


def flagged(planned, folder):
    """The flags of a case's process."""
    given = {
        **settings(),
        "batch_size": planned.batch,
        "gpus": planned.devices,
        "cpu": _CPU.value,
        "quick": flags.FLAGS.quick,
        "data_dir": _DATA_DIR.value or folder / "pictures",
        "folder": folder,
    }
    return {name: value for name, value in given.items() if value is not None}


def fill(found, path, chosen, given):
    """Measures what is missing."""
    lacking = results.pending(found, chosen, flags.FLAGS.rounds)
    missing = supply(lacking, given)

    def alone(case):
        if case.input in missing:
            raise ValueError(missing[case.input])
        return harness.alone(MODULE, case.name, given)

    results.measure(path, found, chosen, flags.FLAGS.rounds, alone)


def supply(lacking, given):
    """Makes the pictures and the export that cases need: -> {input: why it could not be made}."""
    missing = {}
    if not _DATA_DIR.value and any(case.input == "folder" for case in lacking):
        try:
            photographs.write(given["data_dir"] / "photographs")
        except ModuleNotFoundError as error:
            missing["folder"] = f"needs the package {error.name} to make pictures, or --data_dir"
    if any(case.input == "pixels" for case in lacking):
        print("exporting", flush=True)
        try:
            given["multiply_adds"] = harness.alone(MODULE, "export", given)["multiply_adds"]
        except (subprocess.SubprocessError, ValueError) as error:
            missing["pixels"] = f"export: {results.reason(error)}"
    return missing


def contenders():
    """What a process of the harness may be asked for, by name."""
    own = settings()
    options = measure.Options(
        **own,
        cpu=_CPU.value,
        data_dir=_DATA_DIR.value,
        folder=_FOLDER.value,
        multiply_adds=_MULTIPLY_ADDS.value,
    )
    return {
        "device": describe,
        "export": lambda: measure.export(options),
        **{
            case.name: functools.partial(measure.measure, case, options)
            for case in cases(plan(_GPUS.value or 1))
        },
    }


if __name__ == "__main__":
    program.run(main, __doc__)
