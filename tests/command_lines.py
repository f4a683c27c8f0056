"""python tests/command_lines.py PROGRAM: each of its flags with what a person may mistype.

Prints a line of JSON for each command line: what the program said, its exit code, what it left in
its working directory. The program stops where it would load TensorFlow or start another process:
then its command line was accepted. Each command line runs in a fork of one process, which has
imported what the program imports, so hundreds take a second or two.
"""

import importlib
import json
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback

from absl import flags

from zoo import limits, program

ACCEPTED, CRASHED = 77, 99
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "torch", "matplotlib", "h5py"}
# What makes a command line whole, where something is required.
WORDS = {
    "trainers.evaluate": ["--run_dir=run"],
    "trainers.evaluate_detections": ["--run_dir=run"],
    "trainers.evaluate_localisation": ["--run_dir=run"],
    "trainers.refine": ["--localiser=run"],
    "trainers.predict": ["--run_dir=run", "picture.png"],
    "trainers.explain": ["--run_dir=run"],
    "trainers.features": ["--run_dir=run"],
    "trainers.precise_bn": ["--run_dir=run"],
    "export.saved_model": ["--run_dir=run"],
    "export.tflite": ["--run_dir=run", "--quantize=int8"],
    "export.onnx": ["--run_dir=run"],
    "export.page": ["--run_dir=run", "--quantize=int8"],
    "export.serve": ["artifact", "--port=0"],
    "export.verify": ["artifact"],
    "zoo.importers": ["--source=torch", "--file=weights.pth", "--model=resnet18"],
    "zoo.importers.to_torch": ["--run_dir=run", "--file=weights.safetensors"],
}
PLANNED = ("trainers.classify", "trainers.find_rate", "trainers.detect", "trainers.localise")
PLANNED += ("trainers.refine",)
SHARED = ("trainers.plan.flags", "trainers.run.options")
NUMBERS = ["", "abc", "nan", "inf", "-1", "1e400", "10" * 50, "-" + "9" * 30, "١٢", "1_000", "0x10"]
NUMBERS += ["3.7", " 5", "5\n", "1,5"]
TEXTS = ["", " ", "a\nb", "\x1b[2J", "x" * 100_000, "../../etc", "\udcff"]
LISTS = [",", "a,,b", '"', *TEXTS]


class Accepted(BaseException):
    """No Exception, so that no program takes it for a failure."""


class Stop:
    """An import hook: what is heavy is not loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise Accepted(name)


def stop(*_, **__):
    raise Accepted("another process")


def values(flag, program=None):
    """The command lines' own words for one flag, each a list.

    What `PLANNED` programs share is tried whole in the first; the others get each flag's first two.
    """
    if program in PLANNED[1:] and flag["module"] in SHARED:
        return values(flag)[:2]
    name, kind = flag["name"], flag["kind"]
    if kind == "bool":
        return [[f"--{name}=5"], [f"--no{name}=5"]]
    wrong = {"whole": NUMBERS, "real": NUMBERS, "enum": ["", "nosuch", "x" * 100_000]}
    wrong |= {"text": TEXTS, "texts": LISTS, "numbers": [*LISTS, *NUMBERS]}
    words = [[f"--{name}={value}"] for value in wrong[kind]]
    return [*words, [f"--{name}"]] if kind != "text" else words


def described(flag, module):
    """What the test must know of a flag; `kind` "foreign" is a number that absl reads itself."""
    parser = flag.parser
    kind, limit = "text", None
    if isinstance(parser, (limits.Parser, limits.ListParser)):
        limit = limits.LIMITS[getattr(parser, "limit", None) or flag.name]
        kind = "numbers" if isinstance(parser, limits.ListParser) else "whole"
        if kind == "whole" and isinstance(limit, limits.Real):
            kind = "real"
    elif isinstance(parser, (flags.IntegerParser, flags.FloatParser)):
        kind = "foreign"
    elif isinstance(parser, flags.BaseListParser):
        kind = "texts"
    elif isinstance(parser, flags.EnumParser):
        kind = "enum"
    elif flag.boolean:
        kind = "bool"
    bounds = (limit.least, limit.most) if limit else None
    return {"name": flag.name, "kind": kind, "bounds": bounds, "module": module}


def describe(*_):
    """In place of `program.run`: prints the flags, and which modules of ours are there by now."""
    defined = flags.FLAGS.flags_by_module_dict()
    found = [(f, n) for n, each in defined.items() if n.split(".")[0] != "absl" for f in each]
    flags.FLAGS["verbosity"].parser = limits.Parser("verbosity")
    found.append((flags.FLAGS["verbosity"], "absl"))
    ours = [name for name in sys.modules if name.split(".")[0] in program.OURS]
    shown = [described(f, n) for f, n in found if f.name not in ("flagfile", "undefok")]
    print(json.dumps({"flags": shown, "modules": ours}))
    raise SystemExit(0)


def forked(function, folder):
    """{"code", "stdout", "stderr", "left"} of a call in a fork whose directory is `folder`/here."""
    here = folder / "here"
    here.mkdir()
    if os.fork() == 0:
        os.chdir(here)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os._exit(code_of(function))
    _, status = os.wait()
    left = sorted(str(path.relative_to(here)) for path in here.rglob("*"))
    shutil.rmtree(here)
    said = {name: (folder / name).read_text(errors="replace") for name in ("stdout", "stderr")}
    return {"code": os.waitstatus_to_exitcode(status), "left": left, **said}


def code_of(function):
    code = CRASHED
    try:
        function()
        code = 0
    except SystemExit as error:
        code = error.code or 0
    except Accepted:
        code = ACCEPTED
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def trials(name, folder):
    """Prints the flags, then a line for each command line."""

    def call(words):
        sys.argv = [name, *words]
        runpy.run_module(name, run_name="__main__", alter_sys=True)

    def listed():
        program.run = describe
        call([])

    found = json.loads(forked(listed, folder)["stdout"])
    for module in found["modules"]:
        if module not in (name, f"{name}.__main__"):
            importlib.import_module(module)
    print(json.dumps(found["flags"]))
    base = WORDS.get(name, [])
    for flag in found["flags"]:
        for words in values(flag, name) if flag["kind"] != "foreign" else ():
            result = forked(lambda words=words: call([*base, *words]), folder)
            print(json.dumps({"flag": flag["name"], "words": words, **result}))
    result = forked(lambda: call(base), folder)
    print(json.dumps({"flag": None, "words": base, **result}))


if __name__ == "__main__":
    sys.meta_path.insert(0, Stop)
    subprocess.Popen = stop
    with tempfile.TemporaryDirectory() as scratch:
        trials(sys.argv[1], pathlib.Path(scratch))
