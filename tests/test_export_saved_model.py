"""The SavedModel as strangers to our code meet it: TensorFlow alone, its CLI, and a C program."""

import io
import os
import pathlib
import struct
import subprocess
import sys
import sysconfig
import zlib

import export_networks
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export import by_class, graph, images

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Float32 rounding between the network and its folded copy; 4e-7 measured on this one.
ROUNDING = 5e-6
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """One export of the digits network, as the command line makes it."""
    folder = tmp_path_factory.mktemp("saved_model")
    export_networks.save_run(folder / "run")
    command = export_networks.program(
        "export.saved_model", f"--run_dir={folder / 'run'}", f"--output_dir={folder / 'out'}"
    )
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "compared on 256 of the 355 validation images of digits" in done.stdout
    return folder / "out" / "1"


@pytest.fixture(scope="module")
def held_out():
    return images.of_run(export_networks.digits_classifier(), "validation", 40)


@pytest.fixture(scope="module")
def loaded(published):
    return tf.saved_model.load(str(published))


def expected_logits(pixels):
    return np.array(export_networks.trained_on_digits()(np.float32(pixels)))


def same(found, expected):
    return np.abs(found - expected).max() <= ROUNDING * np.abs(expected).max()


STRANGER = """
import sys, numpy as np, tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
inputs = np.load(sys.argv[2], allow_pickle=True)
pixels = loaded.signatures["serving_default"](images=tf.constant(inputs["pixels"]))
encoded = loaded.signatures["serve_bytes"](image_bytes=tf.constant(list(inputs["encoded"])))
assert not {"zoo", "export", "trainers"} & set(sys.modules)
np.savez(sys.argv[3], **{f"pixels_{k}": v for k, v in pixels.items()},
         **{f"encoded_{k}": v for k, v in encoded.items()})
"""


def test_a_process_without_our_code_gets_the_networks_answers(published, held_out, tmp_path):
    """Loaded from another folder, by TensorFlow alone, our checkout out of its path."""
    encoded = np.array(held_out.encoded, dtype=object)
    np.savez(tmp_path / "in.npz", pixels=held_out.pixels, encoded=encoded)
    (tmp_path / "stranger.py").write_text(STRANGER)
    command = [sys.executable, "-P", "stranger.py", published, "in.npz", "out.npz"]
    subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True)

    found = np.load(tmp_path / "out.npz", allow_pickle=True)
    logits = expected_logits(held_out.pixels)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    for way in ("pixels", "encoded"):
        assert same(found[f"{way}_logits"], logits)
        np.testing.assert_array_equal(found[f"{way}_class_ids"], logits.argmax(axis=1))
        np.testing.assert_allclose(
            found[f"{way}_probabilities"], odds / odds.sum(axis=1, keepdims=True), atol=1e-5
        )
    assert found["encoded_ok"].all()
    assert found["encoded_class_names"].shape == found["encoded_scores"].shape == (40, 5)
    names = [[name.decode() for name in row] for row in found["encoded_class_names"]]
    best = np.argsort(-logits, axis=1)[:, :5]
    np.testing.assert_array_equal(names, np.array(export_networks.NAMES)[best])
    assert (np.diff(found["encoded_scores"], axis=1) <= 0).all()


def test_inner_maps_are_the_networks(loaded, held_out):
    import zoo

    wanted = ("conv2", "conv3", "conv4", "pool")
    expected = zoo.features(export_networks.trained_on_digits(), wanted)(held_out.pixels)
    found = loaded.signatures["features"](images=tf.constant(held_out.pixels))
    assert set(found) == set(wanted)
    assert all(same(found[name].numpy(), expected[name].numpy()) for name in wanted)


def test_weights_are_stored_once(published):
    """The float32 weights are 300 KB; a second copy, or variables beside constants, would show."""
    weights = 4 * export_networks.trained_on_digits().count_params()
    stored = sum(x.stat().st_size for x in published.rglob("*") if x.parent.name != "samples")
    assert weights < stored < 2 * weights


def test_labels_are_an_asset(published):
    names = (published / "assets" / "labels.txt").read_text().splitlines()
    assert tuple(names) == export_networks.NAMES


def test_cli_runs_the_example_of_the_card(published):
    """`saved_model_cli`, which comes with TensorFlow, on the file that lies beside the model."""
    command = [
        pathlib.Path(sysconfig.get_path("scripts")) / "saved_model_cli",
        *("run", "--dir", ".", "--tag_set", "serve", "--signature_def", "serving_default"),
        *("--inputs", "images=samples/reference.npz[pixels]"),
    ]
    done = subprocess.run(command, cwd=published, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    line = done.stdout.split("Result for output key class_ids:\n")[1].split("]")[0]
    held_out = images.of_run(export_networks.digits_classifier(), "validation", 256)
    expected = expected_logits(by_class.spread(held_out, 16).pixels).argmax(axis=1)
    np.testing.assert_array_equal([int(x) for x in line.strip(" [").split()], expected)


def test_a_c_program_gets_the_same_scores(published, tmp_path):
    """TensorFlow's C API, compiled against the wheel's own headers and library."""
    folder = tf.sysconfig.get_lib()
    client = tmp_path / "client"
    libraries = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    compiler = ["gcc", "-Wall", "-Wextra", "-Werror", "-isystem", tf.sysconfig.get_include()]
    source = ROOT / "tests" / "serving_client.c"
    link = ["-L" + folder, *libraries, f"-Wl,-rpath,{folder}"]
    subprocess.run([*compiler, source, "-o", client, *link], check=True)

    model = saved_model_pb2.SavedModel.FromString((published / "saved_model.pb").read_bytes())
    signature = model.meta_graphs[0].signature_def["serve_bytes"]
    ends = signature.inputs["image_bytes"].name, signature.outputs["probabilities"].name
    call = [ends[0].split(":")[0], *ends[1].split(":")]  # as saved_model_cli prints them
    image = published / "samples" / "000.png"
    done = subprocess.run(
        [client, published, image, *call], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    logits = expected_logits(np.asarray(PIL.Image.open(image))[np.newaxis])[0]
    odds = np.exp(logits - logits.max())
    found = [float(line) for line in done.stdout.split()]
    np.testing.assert_allclose(found, odds / odds.sum(), atol=1e-5)


def test_warm_up_requests_are_what_tensorflow_serving_reads(published, loaded):
    """Parsed by TensorFlow Serving's own definitions, then run."""
    from tensorflow_serving.apis import prediction_log_pb2

    path = published / "assets.extra" / "tf_serving_warmup_requests"
    answers = {}
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        name = request.model_spec.signature_name
        answers[name] = loaded.signatures[name](**inputs)["class_ids"].numpy()
    assert set(answers) == {"serving_default", "serve_bytes"}
    assert answers["serving_default"] == answers["serve_bytes"]


# -- images that are not as they should be


def encode(image, form, **options):
    stream = io.BytesIO()
    PIL.Image.fromarray(image).save(stream, form, **options)
    return stream.getvalue()


def png_that_claims(width, height):
    """A PNG header and a few bytes of data: what a bomb looks like before it goes off."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_every_format_is_read(loaded):
    """Lossless ones exactly; JPEG and WebP to a few grey levels, as PIL reads them back."""
    rng = np.random.default_rng(0)
    image = np.repeat(rng.integers(0, 256, (8, 8, 1), np.uint8), 3, axis=2)
    forms = [("PNG", {}), ("BMP", {}), ("GIF", {}), ("JPEG", {"quality": 95}), ("WEBP", {})]
    files = [encode(image, form, **options) for form, options in forms]
    answer = loaded.signatures["serve_bytes"](image_bytes=tf.constant(files))
    assert answer["ok"].numpy().all()
    decoded = [np.asarray(PIL.Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
    expected = expected_logits(np.stack(decoded))
    assert same(answer["logits"].numpy()[:3], expected[:3])
    np.testing.assert_allclose(answer["logits"].numpy()[3:], expected[3:], atol=0.5)


def test_a_bad_image_leaves_the_others_of_its_batch_alone(loaded, held_out):
    good = held_out.encoded[0]
    jpeg = encode(np.zeros((64, 64, 3), np.uint8), "JPEG")
    corrupt = bytearray(encode(np.zeros((64, 64, 3), np.uint8), "PNG"))
    corrupt[60] ^= 0xFF
    bad = [b"", b"not an image", good[:40], jpeg[:100], bytes(corrupt), jpeg[:4], b"GIF89a", b"BM"]
    answer = loaded.signatures["serve_bytes"](image_bytes=tf.constant([good, *bad, good]))
    np.testing.assert_array_equal(answer["ok"], [True] + [False] * len(bad) + [True])
    for name in ("logits", "probabilities", "scores"):
        assert not answer[name].numpy()[1:-1].any()
    assert (answer["class_ids"].numpy()[1:-1] == -1).all()
    assert (answer["class_names"].numpy()[1:-1] == b"").all()
    expected = expected_logits(held_out.pixels[[0, 0]])
    assert same(answer["logits"].numpy()[[0, -1]], expected)


LARGE = """
import resource, sys, tensorflow as tf
serve = tf.saved_model.load(sys.argv[1]).signatures["serve_bytes"]
good = open(sys.argv[2], "rb").read()
serve(image_bytes=tf.constant([good]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = serve(image_bytes=tf.constant([good] + [open(p, "rb").read() for p in sys.argv[3:]]))
assert answer["ok"].numpy().tolist() == [True] + [False] * len(sys.argv[3:]), answer["ok"]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_is_refused_before_it_is_decoded(published, tmp_path):
    """Headers that claim too much, six frames that are too much together, and one true bomb."""
    jpeg = bytearray(encode(np.zeros((8, 8, 3), np.uint8), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    gif = bytearray(encode(np.zeros((8, 8), np.uint8), "GIF"))
    descriptor = gif.index(b"\x2c\0\0\0\0")
    gif[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 60_000, 60_000)
    blank = PIL.Image.new("L", (4000, 4000))
    frames = [blank.point(lambda _, level=level: level) for level in range(6)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], optimize=False)
    real = encode(np.zeros((9000, 9000), np.uint8), "PNG")
    bombs = [png_that_claims(60_000, 60_000), bytes(jpeg), bytes(gif), stream.getvalue(), real]
    paths = []
    for number, bomb in enumerate(bombs):
        assert len(bomb) < 200_000
        paths.append(tmp_path / f"bomb{number}")
        paths[-1].write_bytes(bomb)
    good = published / "samples" / "000.png"
    done = subprocess.run(
        [sys.executable, "-c", LARGE, published, good, *paths],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    # Decoding the smallest of them would take 80 MB, the largest 10 GB.
    assert int(done.stdout) < 60_000, "kilobytes more than before"


def test_top_five_of_three_classes_is_three():
    import zoo
    from export.classifier import Classifier

    model = export_networks.randomised(zoo.build("resnet8", num_classes=3, image_size=8))
    few = Classifier(model, export_networks.DIGITS, ("a", "b", "c"))
    network = graph.freeze(model, 8)
    signature = graph.signatures(few, network)["serve_bytes"]
    image = encode(np.full((8, 8, 3), 200, np.uint8), "PNG")
    answer = signature(image_bytes=tf.constant([image]))
    assert sorted(answer["class_names"].numpy()[0]) == [b"a", b"b", b"c"]
    assert answer["scores"].shape == (1, 3)


@pytest.mark.parametrize("shape", [(1, 16, 16, 3), (1, 5, 20, 3), (1, 1, 1, 3), (1, 8, 8, 1)])
def test_pixels_of_another_shape_are_refused(loaded, shape):
    """By the graph itself, which servers run without looking at signatures."""
    wrong = tf.zeros(shape)
    for name in ("serving_default", "features"):
        with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
            loaded.signatures[name](images=wrong)


@pytest.mark.parametrize("name", ["saved_model", "saved_model-constants"])
def test_weights_are_variables_or_constants(name, tmp_path, held_out):
    """TensorFlow's own reader of checkpoints finds all of them, or none; the answers are alike."""
    from export import formats

    source = export_networks.digits_classifier()
    form = formats.find(name)
    form.write(source, tmp_path, images.Evidence(held_out))
    kept = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables"))
    sizes = [np.prod(s) for k, s in kept.get_variable_to_shape_map().items() if "weights" in k]
    # Folded, normalisation has a bias in place of its four numbers a channel.
    assert (sum(sizes) > 0.98 * source.model.count_params()) == (name == "saved_model")
    assert sum(sizes) < source.model.count_params()
    logits = form.load(tmp_path).pixels(held_out.pixels)
    assert same(logits, expected_logits(held_out.pixels))
