"""`import zoo` lets Keras know our layers, in either order, and leaves imports as they were."""

import os
import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import zoo
from zoo import archive
from zoo.preprocess import InputContract

NETWORK = zoo.Network("resnet8", 3, 8, "A", mean="pixel")  # has all three of our layers
ROOT = str(pathlib.Path(__file__).resolve().parents[1])


def python(script, *arguments, path=()):
    """Runs a script in a process of its own; returns its last line."""
    paths = os.pathsep.join([*map(str, path), ROOT])
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def keras_files(tmp_path_factory):
    """A built network, the same out of an archive, and its features, as Keras files; answers."""
    folder = tmp_path_factory.mktemp("files")
    model = zoo.build_network(NETWORK)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    archive.save(model, archive.Manifest(NETWORK, InputContract(8, 9), tuple("abc")), folder)
    loaded, _ = zoo.load(folder)
    for suffix in ("keras", "h5"):
        model.save(folder / f"built.{suffix}")
        loaded.save(folder / f"loaded.{suffix}")
    zoo.features(model).save(folder / "features.keras")
    pixels = rng.uniform(0, 255, (3, 8, 8, 3)).astype("float32")
    np.savez(folder / "known.npz", pixels=pixels, logits=model(pixels))
    return folder


@pytest.mark.parametrize("imports", ["zoo, keras", "keras, zoo"])
def test_keras_loads_our_networks_after_import_zoo_alone(keras_files, imports):
    names = ["built.keras", "built.h5", "loaded.keras", "loaded.h5", "features.keras"]
    script = f"""
    import {imports}, pathlib, sys
    import numpy as np
    folder = pathlib.Path(sys.argv[1])
    known = np.load(folder / "known.npz")
    equal = []
    for name in sys.argv[2:]:
        answer = keras.models.load_model(folder / name)(known["pixels"])
        logits = answer["logits"] if isinstance(answer, dict) else answer
        equal += [name] * np.array_equal(logits, known["logits"])
    print(*equal)
    """
    assert python(script, keras_files, *names).split() == names


STAND_IN = """
import time
time.sleep(0.1)  # long enough for every thread to wait for it

registered = []

class saving:
    def register_keras_serializable(package):
        return lambda layer: registered.append(f"{package}>{layer.__name__}") or layer

class layers:
    Layer = BatchNormalization = Conv2D = object
"""
LAYERS = "PixelNormalization", "IdentityShortcut", "FusedBatchNormalization", "Conv2D"
OURS = sorted(f"residual_zoo>{name}" for name in (*LAYERS, "RoiAlign"))


@pytest.fixture
def stand_in(tmp_path):
    """A folder with a package called keras that is imported in no time and counts."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(STAND_IN)
    (tmp_path / "keras" / "ops.py").write_text("")
    return tmp_path


def test_nothing_of_the_hook_stays_in_keras(stand_in):
    script = """
    import zoo, keras
    print(keras.__spec__.loader is keras.__loader__, type(keras.__loader__).__name__)
    """
    assert python(script, path=[stand_in]) == "True SourceFileLoader"


@pytest.mark.parametrize("first", ["keras", "zoo.layers"])
def test_threads_that_import_at_once_register_each_layer_once(stand_in, first):
    script = f"""
    import importlib, threading, zoo
    names = ["{first}", "keras", "zoo.layers", "zoo.blocks"] * 3
    threads = [threading.Thread(target=importlib.import_module, args=[x]) for x in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    import keras
    print(*sorted(keras.registered))
    """
    assert python(script, path=[stand_in]).split() == OURS


@pytest.mark.parametrize("ours_is_asked", ["first", "last"])
def test_a_finder_that_asks_the_others_too_ends(stand_in, ours_is_asked):
    """Another package's import hook that goes through the others as ours does, without a guard."""
    script = f"""
    import sys
    class Foreign:
        def find_spec(self, name, *rest):
            others = [x for x in sys.meta_path if x is not self and name == "keras"]
            specs = (x.find_spec(name, *rest) for x in others)
            return next((spec for spec in specs if spec), None)
    import zoo
    sys.meta_path.insert({1 if ours_is_asked == "first" else 0}, Foreign())
    import keras
    print(*sorted(keras.registered))
    """
    assert python(script, path=[stand_in]).split() == OURS


def test_looking_keras_up_does_not_import_it(stand_in):
    script = """
    import importlib.util, sys, zoo
    spec = importlib.util.find_spec("keras")
    source = spec.loader.get_source("keras")
    print("time.sleep" in source, "keras" in sys.modules, importlib.util.find_spec("keras_no"))
    """
    assert python(script, path=[stand_in]) == "True False None"


def test_a_keras_too_old_for_our_layers_is_imported_all_the_same(stand_in):
    (stand_in / "keras" / "ops.py").unlink()  # as before Keras 3
    script = """
    import zoo, keras
    try:
        import zoo.layers
    except ImportError as error:
        print(keras.registered, error.name)
    """
    assert python(script, path=[stand_in]) == "[] keras"


def test_a_keras_that_fails_says_so_itself(stand_in):
    (stand_in / "keras" / "__init__.py").write_text("raise RuntimeError('no backend')")
    script = """
    import zoo
    for _ in range(2):
        try:
            import keras
        except RuntimeError as error:
            print(error)
    """
    assert python(script, path=[stand_in]) == "no backend"


def test_importing_zoo_twice_leaves_one_finder(stand_in):
    script = """
    import importlib, sys, zoo
    importlib.reload(zoo)
    print(sum(type(finder).__name__ == "KerasFinder" for finder in sys.meta_path))
    """
    assert python(script, path=[stand_in]) == "1"
