"""The rooms of the tree: who may import whom, and that the commands in the guides exist."""

import ast
import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# What a room may import of ours, besides itself; `trainers` is the programs at the door.
BELOW_JUDGING = {"zoo", "trainers.data", "trainers.plan", "trainers.engine"}
BELOW_RUN = BELOW_JUDGING | {"trainers.judging", "trainers.watching"}
MAY_IMPORT = {
    "zoo": set(),
    "trainers.data": {"zoo"},
    "trainers.plan": {"zoo", "trainers.data"},
    "trainers.engine": {"zoo", "trainers.data"},
    "trainers.judging": BELOW_JUDGING,
    "trainers.watching": BELOW_JUDGING | {"trainers.judging"},
    "trainers.run": BELOW_RUN,
    "trainers.studies": BELOW_RUN | {"trainers.run"},
    "trainers": BELOW_RUN | {"trainers.run"},
    "export": {"zoo", "trainers.data"},
}
FREE = {"benchmarks", "tests"}  # import anything, programs too; nothing imports them
PACKAGES = {"zoo", "trainers", "export"} | FREE

GUIDES = ["README.md", "BUILD.md", "Makefile"]
COMMAND = re.compile(r"(?:\bpython[\d.]*|\$\(PY\)|\"\$\(PYTHON\)\") -m ([A-Za-z_][\w.]*\w)")


def read_modules(root):
    """{dotted name: source} of every module of ours; a package stands under its own name."""
    modules = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            modules[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return modules


def room_of(name):
    """The longest name of a room that holds the module.

    `trainers/__init__.py` runs whenever trainers.data is imported, so it obeys that room.
    """
    if name == "trainers":
        return "trainers.data"
    rooms = (*MAY_IMPORT, *FREE)
    return max((x for x in rooms if f"{name}.".startswith(f"{x}.")), key=len, default=None)


def is_program(name, source):
    """Whether the module is meant for `python -m`: __main__.py, or a __main__ guard."""
    if name.endswith(".__main__"):
        return True
    tests = [ast.unparse(x.test) for x in ast.walk(ast.parse(source)) if isinstance(x, ast.If)]
    return any("__name__ ==" in test and "'__main__'" in test for test in tests)


def imports_of(name, modules, packages):
    """Modules of ours that a module imports anywhere in it, functions included, as (line, name)."""
    for node in ast.walk(ast.parse(modules[name])):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, name, name in packages)
            inner = [f"{base}.{alias.name}" for alias in node.names]
            targets = [x if x in modules else base for x in inner]
        elif called_import(node):
            targets = [node.args[0].value]
        else:
            continue
        for target in targets:
            if target.split(".")[0] in PACKAGES:
                yield node.lineno, target


def absolute(node, name, is_package):
    """The dotted name that `from ... import` starts at, dots resolved."""
    if not node.level:
        return node.module
    parts = name.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join(parts + ([node.module] if node.module else []))


def called_import(node):
    """Whether the node is importlib.import_module("...") or __import__("...")."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    )


def violations(modules, packages=()):
    """Sentences, one for each import that design forbids; `packages` are the __init__ modules."""
    programs = {name for name, source in modules.items() if is_program(name, source)}
    found = []
    for name in sorted(modules):
        room = room_of(name)
        if room in FREE:
            continue
        for line, target in imports_of(name, modules, packages):
            if room_of(target) not in MAY_IMPORT[room] | {room}:
                found.append(f"{name}:{line} ({room}) imports {target}")
            elif target in programs and target != name:
                found.append(f"{name}:{line} imports {target}, which is a program")
    return found


def commands(text):
    """Module names that a guide runs with `python -m`, sorted."""
    return sorted(set(COMMAND.findall(text)))


def missing(names, modules):
    """Names that `python -m` would not run: no program of ours, no installed module."""
    programs = {name for name, source in modules.items() if is_program(name, source)}
    bad = []
    for name in names:
        top = name.split(".")[0]
        ours = name in programs or f"{name}.__main__" in programs
        if not (ours if top in PACKAGES else importlib.util.find_spec(top)):
            bad.append(name)
    return bad


def test_rooms_hold():
    modules = read_modules(ROOT)
    assert "zoo.preprocess" in modules  # the walk does see the tree
    packages = {name for name in modules if (ROOT / name.replace(".", "/")).is_dir()}
    assert violations(modules, packages) == []


@pytest.mark.parametrize("guide", GUIDES)
def test_commands_in_the_guides_exist(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    assert missing(commands(text), read_modules(ROOT)) == []


PROGRAM = 'if __name__ == "__main__":\n    pass\n'
TREE = {
    "zoo": "",
    "zoo.specs": "",
    "zoo.__main__": "import zoo\n",
    "trainers": "",
    "trainers.data": "",
    "trainers.data.cifar": "",
    "trainers.plan": "",
    "trainers.plan.flags": "",
    "trainers.engine": "",
    "trainers.engine.loop": "",
    "trainers.judging": "",
    "trainers.judging.views": "",
    "trainers.watching": "",
    "trainers.watching.console": "",
    "trainers.run": "",
    "trainers.run.runs": "",
    "trainers.studies": "",
    "trainers.studies.jobs": "",
    "trainers.classify": PROGRAM,
    "export": "",
    "export.graph": "",
    "export.onnx": PROGRAM,
    "benchmarks": "",
}
PLANTED_PACKAGES = {"export", "benchmarks", *(room for room in MAY_IMPORT if room != "export")}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("zoo.resnet", "import trainers.data.cifar"),
        ("zoo.resnet", "from export import graph"),
        ("zoo", "from trainers import data"),
        ("zoo.resnet", "def late():\n    from trainers.data import cifar"),
        ("zoo.resnet", "import importlib\nimportlib.import_module('trainers.engine.loop')"),
        ("zoo.resnet", "from zoo import __main__"),
        ("trainers.data.cifar", "from trainers.engine import loop"),
        ("trainers.data.cifar", "from ..engine import loop"),
        ("trainers.data.cifar", "from ..engine.loop import train"),
        ("trainers.data", "from ..engine.loop import train"),
        ("trainers", "from trainers.engine import loop"),
        ("trainers", "from .engine import loop"),
        ("trainers.data.cifar", "import export.graph"),
        ("trainers.engine.loop", "from export.graph import freeze"),
        ("trainers.engine.loop", "import benchmarks"),
        ("trainers.engine.loop", "from trainers import classify"),
        ("trainers.engine.loop", "from ..classify import main"),
        ("trainers.engine.loop", "from trainers.plan import flags"),
        ("trainers.plan.flags", "from trainers.engine import loop"),
        ("trainers.judging.views", "from trainers.watching import console"),
        ("trainers.watching.console", "from trainers.run import runs"),
        ("trainers.run.runs", "from trainers.studies import jobs"),
        ("trainers.run.runs", "from trainers import classify"),
        ("trainers.studies.jobs", "from trainers import classify"),
        ("export.graph", "import trainers.engine.loop"),
        ("export.graph", "from trainers.engine import loop"),
        ("export.graph", "from export.onnx import main"),
    ],
)
def test_a_planted_import_is_found(module, source):
    found = violations(TREE | {module: source}, PLANTED_PACKAGES)
    assert len(found) == 1 and found[0].startswith(f"{module}:")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("zoo.resnet", "import keras\nfrom zoo import specs\nfrom .specs import find"),
        ("trainers.data.cifar", "import zoo\nfrom trainers.data import cifar\nfrom . import cifar"),
        ("trainers.engine.loop", "from zoo import specs, build\nfrom trainers.data import cifar"),
        ("trainers.engine.loop", "from . import loop\nfrom ..data import cifar"),
        ("trainers.classify", f"from trainers.engine import loop\n{PROGRAM}"),
        ("export.graph", "from zoo import specs\nfrom trainers.data import cifar"),
        ("trainers.judging.views", "from trainers.engine import loop\nimport trainers.plan.flags"),
        ("trainers.run.runs", "from trainers.watching import console"),
        (
            "trainers.studies.jobs",
            "from trainers.run import runs\nfrom trainers.judging import views",
        ),
        ("benchmarks.step", "from trainers import classify\nimport export.onnx, zoo"),
        ("tests.test_x", "from trainers import classify\nimport export.onnx, benchmarks"),
    ],
)
def test_an_allowed_import_is_not(module, source):
    assert violations(TREE | {module: source}, PLANTED_PACKAGES) == []


def test_a_planted_command_is_found():
    guide = """
        .venv/bin/python -m trainers.classify --run_dir=x
        CUDA_VISIBLE_DEVICES= python3.12 -m trainers.clasify
        `python -m zoo` and `python -m trainers.engine.loop`, python -m nowhere.at_all.
        \t$(PY) -m pytest -n 2
    """
    assert missing(commands(guide), TREE) == [
        "nowhere.at_all",
        "trainers.clasify",
        "trainers.engine.loop",
    ]
