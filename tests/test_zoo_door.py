"""`import zoo` as a person meets it in a notebook: quick, complete, and plain about a typo."""

import subprocess
import sys

import pytest

import zoo
from zoo import archive, resnet, specs

DOOR = {
    "Network": specs.Network,
    "Spec": specs.Spec,
    "build": resnet.build,
    "build_network": resnet.build_network,
    "features": resnet.features,
    "find": specs.find,
    "load": archive.load,
    "names": specs.names,
}
HEAVY = ("tensorflow", "keras", "numpy", "h5py")


def test_every_name_is_what_its_module_has():
    assert sorted(zoo.__all__) == sorted(DOOR)
    for name, thing in DOOR.items():
        assert getattr(zoo, name) is thing


def test_import_is_light_and_completion_sees_every_name():
    """In a process of its own, where nothing has been used yet; nor does looking use anything."""
    script = (
        "import sys, zoo; print(*dir(zoo)); "
        f"print('heavy:', *(name for name in {HEAVY} if name in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    seen, heavy = result.stdout.splitlines()
    assert DOOR.keys() <= set(seen.split())
    assert heavy.split() == ["heavy:"]


def test_a_typo_is_an_attribute_error_that_names_what_there_is():
    with pytest.raises(AttributeError, match="no attribute 'bild': expected one of .*build.*load"):
        zoo.bild  # noqa: B018
    assert not hasattr(zoo, "bild")
    with pytest.raises(ImportError, match="cannot import name 'bild'"):
        from zoo import bild  # noqa: F401
