"""The layers of the tree: who may import whom, and that the commands in the guides exist."""

import ast
import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# What a layer may import of ours, besides itself.
MAY_IMPORT = {
    "zoo": set(),
    "trainers.data": {"zoo"},
    "trainers": {"zoo", "trainers.data"},
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


def layer_of(name):
    """The longest layer that holds the module.

    `trainers/__init__.py` runs whenever trainers.data is imported, so it obeys that layer.
    """
    if name == "trainers":
        return "trainers.data"
    layers = (*MAY_IMPORT, *FREE)
    return max((x for x in layers if f"{name}.".startswith(f"{x}.")), key=len, default=None)


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
        layer = layer_of(name)
        if layer in FREE:
            continue
        for line, target in imports_of(name, modules, packages):
            if layer_of(target) not in MAY_IMPORT[layer] | {layer}:
                found.append(f"{name}:{line} ({layer}) imports {target}")
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


def test_layers_hold():
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
    "trainers.loop": "",
    "trainers.classify": PROGRAM,
    "export": "",
    "export.graph": "",
    "export.onnx": PROGRAM,
    "benchmarks": "",
}
PLANTED_PACKAGES = {"zoo", "trainers", "trainers.data", "export", "benchmarks"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("zoo.resnet", "import trainers.data.cifar"),
        ("zoo.resnet", "from export import graph"),
        ("zoo", "from trainers import data"),
        ("zoo.resnet", "def late():\n    from trainers.data import cifar"),
        ("zoo.resnet", "import importlib\nimportlib.import_module('trainers.loop')"),
        ("zoo.resnet", "from zoo import __main__"),
        ("trainers.data.cifar", "from trainers import loop"),
        ("trainers.data.cifar", "from .. import loop"),
        ("trainers.data.cifar", "from ..loop import train"),
        ("trainers.data", "from ..loop import train"),
        ("trainers", "from trainers import loop"),
        ("trainers", "from . import loop"),
        ("trainers.data.cifar", "import export.graph"),
        ("trainers.loop", "from export.graph import freeze"),
        ("trainers.loop", "import benchmarks"),
        ("trainers.loop", "from trainers import classify"),
        ("trainers.loop", "from .classify import main"),
        ("export.graph", "import trainers.loop"),
        ("export.graph", "from trainers import loop"),
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
        ("trainers.loop", "from zoo import specs, build\nfrom trainers.data import cifar"),
        ("trainers.loop", "from . import loop\nfrom .data import cifar"),
        ("trainers.classify", f"from trainers import loop\n{PROGRAM}"),
        ("export.graph", "from zoo import specs\nfrom trainers.data import cifar"),
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
        `python -m zoo` and `python -m trainers.loop`, python -m nowhere.at_all.
        \t$(PY) -m pytest -n 2
    """
    assert missing(commands(guide), TREE) == ["nowhere.at_all", "trainers.clasify", "trainers.loop"]
