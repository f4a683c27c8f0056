"""python -m benchmarks.serving: our artifacts beside those of the runtimes' own tools.

resnet50 at 224 px with random weights, and resnet20 trained on digits for a minute (or the run of
--run_dir), where agreement with the network means something. Each artifact is written once, then
loaded by processes of their own in turn: seconds to load, of the first answer, and of a call with 1
and with 32 images; megabytes on disk; the share of held-out images with the network's own first
class. The two of 8-bit integers that OpenVINO runs, a few percent apart, take turns in one process.
Then, by oneDNN's log and OpenVINO's, where the time of a call goes. Writes
reports/speed/serving.json.
"""

import functools
import subprocess
import sys
import tempfile
from concurrent import futures

from absl import flags

from benchmarks import harness
from benchmarks.serving import measure, profile
from benchmarks.serving.measure import MANY, ONE
from benchmarks.serving.runtimes import CONTENDERS, ELSEWHERE
from zoo import program

harness.define()
_RUN_DIR = flags.DEFINE_string("run_dir", None, "a trained run; default: resnet20, trained here")
_FOLDER = flags.DEFINE_string("folder", None, "artifacts of an earlier call, for --contender")
_GROUP = flags.DEFINE_string("group", None, "whose artifacts they are, for --contender")

MODULE = "benchmarks.serving"
TRAINED = "resnet20_on_digits"
TRAINING = ("--model=resnet20", "--image_size=32", "--steps=200", "--round_steps=200")
INT8 = ["ours_tflite_int8", "ours_int8_in_openvino", "openvino_int8"]
GROUPS = {
    "resnet50": list(CONTENDERS),
    TRAINED: ["keras_export", "ours_saved_model", "openvino", "ours_onnx", "ours_tflite", *INT8],
}
HALVES = {"write_one_half": slice(0, None, 2), "write_the_other": slice(1, None, 2)}
QUICK = {"resnet20": ["keras_export", "ours_saved_model", "openvino", "ours_onnx"]}
PROFILED = {"resnet50": ["ours_saved_model", "keras_export"]}
LAYERS = {"resnet50": INT8[1:]}  # by OpenVINO
TURNS = 12
INT8_TURNS = "int8_by_turns"
INT8_PEER = "openvino_int8"
INT8_GOALS = [harness.Goal("ours_int8_in_openvino", INT8_PEER, x, 0.95) for x in (ONE, MANY)]
GOALS = {
    "resnet50": [
        harness.Goal("ours_saved_model", "keras_export", ONE, 1.5),
        harness.Goal("ours_saved_model", "keras_export", MANY, 1.25),
        harness.Goal("ours_saved_model", "keras_export", "megabytes", 2.0),
        harness.Goal("ours_saved_model", "keras_export", "seconds_to_load", 1 / 0.6),
        harness.Goal("ours_constants", "keras_export", ONE, 1.5),
        harness.Goal("ours_constants", "keras_export", MANY, 1.25),
        harness.Goal("ours_constants", "openvino", ONE, 0.85),
        harness.Goal("ours_constants", "openvino", MANY, 1.0),
    ],
    TRAINED: [harness.Goal("ours_int8_in_openvino", INT8_PEER, "same_first_class", 1.0)],
}


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS.contender:
        harness.run_one(steps(), ELSEWHERE)
        return
    quick = flags.FLAGS.quick
    found, peer, goals, profiles = {}, {}, {}, {}
    for group, names in (QUICK if quick else GROUPS).items():
        print(group, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            settings = dict(folder=folder, group=group)
            if group == TRAINED:
                settings["run_dir"] = _RUN_DIR.value or trained(folder)
            write_all(settings)
            rounds = 1 if quick else flags.FLAGS.rounds
            found[group] = harness.compete(MODULE, names, rounds, GOALS.get(group, ()), **settings)
            peer[group], goals[group] = "keras_export", GOALS.get(group, ())
            if INT8_PEER in names:
                turns = f"{group}_{INT8_TURNS}"
                found[turns] = harness.compete_by_turns(MODULE, INT8_TURNS, **settings)
                peer[turns], goals[turns] = INT8_PEER, INT8_GOALS
            profiles |= profiled(group, settings)
    harness.write("serving", found, peer=peer, goals=goals, profiles=profiles)


def profiled(group, settings):
    """Where the time of a call goes, of some contenders: {title: {kind: seconds}}."""
    found = {}
    for name in PROFILED.get(group, ()):
        shares = profile.shares(MODULE, f"{name}-profile", settings)
        found[f"{group}, {name.replace('_', ' ')}, 32 images"] = shares
    for name in LAYERS.get(group, ()):
        title = f"{group}, {name.replace('_', ' ')}, 8 images, one thread"
        found[title] = harness.alone(MODULE, f"{name}-layers", settings)["kinds"]
    return found


def trained(folder):
    """A run of resnet20 on digits: -> its directory."""
    run_dir = f"{folder}/run"
    command = [sys.executable, "-m", "trainers.classify", f"--run_dir={run_dir}", *TRAINING]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return run_dir


def steps():
    """What a process can be asked for: writing the artifacts, each contender, its profile."""
    known = {part: functools.partial(write, part) for part in HALVES}
    known[INT8_TURNS] = functools.partial(by_turns, INT8[1:])
    for name in CONTENDERS:
        asked = name, _FOLDER.value, _GROUP.value
        known[name] = functools.partial(measure.measure, *asked)
        known[f"{name}-profile"] = functools.partial(measure.one_call, *asked)
        known[f"{name}-layers"] = functools.partial(measure.layers, *asked)
    return known


def by_turns(names):
    """Contenders' calls, all loaded into this process: {name: [figures of a turn]}."""
    asked = {name: measure.calls(name, _FOLDER.value, _GROUP.value) for name in names}
    return harness.by_turns(asked, TURNS)


def write_all(settings):
    """Half of the artifacts in each of two processes, for nothing is timed yet."""
    with futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda half: harness.alone(MODULE, half, settings), HALVES))


def write(half):
    from benchmarks.serving import artifacts

    names = QUICK.get(_GROUP.value) or GROUPS[_GROUP.value]
    files = dict.fromkeys(CONTENDERS[name][1] for name in names if CONTENDERS[name][1])
    wanted = [measure.HELD_OUT, *files][HALVES[half]]
    model = None if _GROUP.value == TRAINED else _GROUP.value
    with program.filtered_stderr(artifacts.NOISE):
        artifacts.write(_FOLDER.value, wanted, _RUN_DIR.value, model)
    return {}


if __name__ == "__main__":
    program.run(main, __doc__)
