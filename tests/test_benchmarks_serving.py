"""Contenders of the serving benchmarks do what they are timed for; profiles and sizes; no times."""

import keras
import numpy as np
import pytest

from benchmarks import harness
from benchmarks.serving import artifacts, measure, profile, runtimes

INT8 = [name for name in runtimes.CONTENDERS if "int8" in name]
OF_FILES = [name for name, (_, file) in runtimes.CONTENDERS.items() if file]
OFTEN = ("keras_export", "ours_in_process", "ours_int8_in_openvino", "openvino")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Makes one artifact of a resnet8 with random weights: its name -> the folder it is in."""
    folder = tmp_path_factory.mktemp("artifacts")

    def write(name):
        wanted = [file for file in (measure.HELD_OUT, name) if not (folder / file).exists()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(artifacts, "CALIBRATION", 16)  # images: quantisers take minutes of 100
            artifacts.write(folder, wanted, run_dir=None, model="resnet8")
        return folder

    return write


@pytest.mark.parametrize(
    "contender",
    [pytest.param(x, marks=[] if x in OFTEN else pytest.mark.exhaustive) for x in OF_FILES],
)
def test_an_artifact_answers_as_the_network(written, contender):
    load, file = runtimes.CONTENDERS[contender]
    folder = written(file)
    answer, dtype = load(folder / file)()
    with np.load(folder / measure.HELD_OUT) as found:
        pixels, expected = found["pixels"].astype(dtype), found["first"]
    assert len(set(expected)) > 1
    for batch_size in (1, 32):
        same = np.argmax(answer(pixels[:batch_size]), axis=1) == expected[:batch_size]
        assert same.mean() >= (0.8 if contender in INT8 else 1)


def test_a_turn_is_a_call_with_one_image_and_one_with_32(written, monkeypatch):
    file = "tflite-int8/model.tflite"
    calls = measure.calls("ours_int8_in_openvino", written(file), "resnet8")
    asked = []
    monkeypatch.setattr(
        measure, "seconds_a_call", lambda run, pixels: asked.append(run(pixels).shape) or 0.5
    )
    assert calls() == {measure.ONE: 0.5, measure.MANY: 0.5}
    assert asked == [(1, 10), (32, 10)]


def test_openvino_convolves_our_8_bit_file_in_8_bits(written):
    """Its own word for it ends in I8; a layer that it ran in float would end in f32."""
    file = "tflite-int8/model.tflite"
    folder = written(file)
    with np.load(folder / measure.HELD_OUT) as found:
        kinds = profile.of_openvino(folder / file, found["pixels"][:2], 1)
    convolutions = [kind for kind in kinds if kind.startswith("Convolution")]
    assert convolutions and all(kind.lower().endswith("i8") for kind in convolutions)
    assert all(seconds >= 0 for seconds in kinds.values()) and sum(kinds.values()) > 0


ONEDNN = """onednn_verbose,v1,primitive,create:cache_hit,cpu,convolution,brgconv,,,,9
onednn_verbose,v1,primitive,exec,cpu,convolution,brgconv_1x1:avx512_core,forward,src:f32,,mb32,2.5
onednn_verbose,v1,primitive,exec,cpu,convolution,brgconv_1x1:avx512_core,forward,src:f32,,mb32,1.5
onednn_verbose,v1,primitive,exec,cpu,pooling,jit:avx512_core,forward,src:f32,,mb32,0.5
{"seconds": 0.006}"""


def test_a_profile_adds_up_to_the_call(monkeypatch):
    text = f"onednn_verbose,v1,primitive,exec,cpu,reorder,jit,,,,7\n{profile.MARK}\n{ONEDNN}"
    monkeypatch.setattr(harness, "output", lambda *words, **environment: text)
    assert profile.shares("module", "name", {}) == {
        "convolution, brgconv_1x1": pytest.approx(0.004),
        "pooling, jit": pytest.approx(0.0005),
        "all that is not oneDNN's": pytest.approx(0.0015),
    }


def test_the_peer_of_serving_is_the_same_network_in_stock_layers():
    model = artifacts.classifier(None, "resnet20").model
    stock = artifacts.in_stock_layers(model)
    norms = [x for x in stock.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert {type(x) for x in norms} == {keras.layers.BatchNormalization}
    assert len(norms) == 19  # a normalisation for each convolution
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    expected = np.array(model(pixels))
    # Float32 rounding of another order of operations.
    assert np.abs(np.array(stock(pixels)) - expected).max() < 1e-5 * np.abs(expected).max()


def test_what_a_server_must_load_is_weighed(tmp_path):
    (tmp_path / "variables").mkdir()
    for name in ("saved_model.pb", "variables/a.data", "labels.txt", "net.xml", "net.bin"):
        (tmp_path / name).write_bytes(bytes(1000))
    assert runtimes.megabytes(tmp_path) == 0.002  # the graph and its variables
    assert runtimes.megabytes(tmp_path / "net.xml") == 0.002
