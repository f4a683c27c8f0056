"""TFLite files as their users run them: LiteRT, TensorFlow's own parser, MediaPipe, OpenVINO."""

import functools
import zipfile

import export_networks
import keras
import numpy as np
import pytest

from export import by_class, formats, images, parity
from export.formats import litert, tflite

KINDS = ("none", "float16", "dynamic", "int8")


@functools.cache
def evidence():
    source = export_networks.digits_classifier()
    training = images.of_run(source, "train", 800)
    held_out = images.of_run(source, "validation", 200)
    return images.Evidence(held_out, by_class.stratified(training, 200))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """{kind: path of the file}."""
    paths = {}
    for kind in KINDS:
        directory = tmp_path_factory.mktemp(kind)
        form = formats.find(f"tflite-{kind}")
        form.write(export_networks.digits_classifier(), directory, evidence())
        paths[kind] = directory / "model.tflite"
    return paths


def expected_classes(pixels):
    return np.array(export_networks.trained_on_digits()(pixels)).argmax(axis=1)


def run(path, pixels):
    """The way a stranger would: ai-edge-litert, by signature, with its default kernels."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    dtype = interpreter.get_input_details()[0]["dtype"]
    return interpreter.get_signature_runner("serving_default")(images=pixels.astype(dtype))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_size", [1, 3, 200])
def test_any_batch_gets_the_networks_classes(written, kind, batch_size):
    pixels = evidence().held_out.pixels[:batch_size]
    scores = run(written[kind], pixels)["probabilities"]
    assert scores.dtype == np.float32 and scores.shape == (batch_size, 10)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=0.02)
    assert np.mean(scores.argmax(axis=1) == expected_classes(pixels)) >= 0.98


def test_the_smaller_the_type_the_smaller_the_file(written):
    """Weights are nearly all of it: half of them in float16, a quarter in 8 bits, and change."""
    size = {kind: path.stat().st_size for kind, path in written.items()}
    weights = 4 * export_networks.trained_on_digits().count_params()
    assert weights < size["none"] < 1.1 * weights
    assert 0.5 * size["none"] < size["float16"] < 0.6 * size["none"]
    assert 0.25 * size["none"] < size["int8"] < 0.35 * size["none"]
    assert 0.25 * size["none"] < size["dynamic"] < 0.35 * size["none"]


def test_int8_takes_the_image_as_it_is(written):
    """uint8 pixels of scale 1, weights of 8 bits with a scale for each output channel."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(written["int8"]))
    (image,) = interpreter.get_input_details()
    assert image["dtype"] == np.uint8 and image["quantization"] == (1.0, 0)
    assert list(image["shape_signature"]) == [-1, 8, 8, 3]
    kernels = [
        detail
        for detail in interpreter.get_tensor_details()
        if len(detail["shape"]) == 4 and detail["shape"][1] == 3 and detail["dtype"] == np.int8
        if len(detail["quantization_parameters"]["scales"]) > 1
    ]
    assert len(kernels) == 7  # resnet8's 3x3 convolutions
    for kernel in kernels:
        assert len(kernel["quantization_parameters"]["scales"]) == kernel["shape"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_operator_is_built_in(written, kind):
    """Listed by TensorFlow's own parser of the file."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(written[kind].read_bytes())
    codes = {max(c.builtinCode, c.deprecatedBuiltinCode) for c in model.operatorCodes}
    known = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    names = {known[code] for code in codes}
    assert {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"} <= names
    assert not names & {"CUSTOM", "VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE"}
    found = litert.operators(written[kind].read_bytes())
    assert set(found) == names
    assert sum(found.values()) == len(model.subgraphs[0].operators)
    assert litert.foreign_operators(written[kind].read_bytes()) == ""


def test_a_foreign_operator_is_found():
    """A file with an operator that LiteRT does not have, which a phone would have to bring."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((4,), tf.float32)])
    def foreign(x):
        return tf.raw_ops.Betainc(a=x, b=x, x=x)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([foreign.get_concrete_function()])
    converter.allow_custom_ops = True
    assert litert.foreign_operators(converter.convert()) == "custom:Betainc"


def test_labels_are_inside_the_file(written):
    for path in written.values():
        with zipfile.ZipFile(path) as archive:
            assert archive.read("labels.txt").decode().split() == list(export_networks.NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_mediapipe_classifies_with_names(written, kind):
    """Google's task library reads size, scaling and labels from the metadata, all by itself."""
    import mediapipe

    held_out = evidence().held_out
    with mediapipe.tasks.vision.ImageClassifier.create_from_model_path(str(written[kind])) as task:
        for image in held_out.pixels[:20]:
            picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.uint8(image))
            (head,) = task.classify(picture).classifications
            first = head.categories[0]
            expected = run(written[kind], image[np.newaxis])["probabilities"][0]
            assert first.category_name == export_networks.NAMES[expected.argmax()]
            assert first.score == pytest.approx(expected.max(), abs=0.005)


@pytest.mark.parametrize("kind", ["none", "int8"])
def test_openvino_reads_it_too(written, kind):
    import openvino

    pixels = evidence().held_out.pixels
    core = openvino.Core()
    model = core.compile_model(core.read_model(written[kind]), "CPU")
    scores = model(pixels.astype(np.uint8 if kind == "int8" else np.float32))[0]
    assert np.mean(scores.argmax(axis=1) == expected_classes(pixels)) >= 0.98


def test_calibration_takes_every_class_alike():
    labels = np.array([0] * 50 + [1] * 5 + [2] * 30)
    pixels = np.repeat(np.float32(np.arange(85))[:, None], 3, axis=1)
    some = images.Images(pixels, tuple([b""] * 85), labels, "")
    chosen = labels[np.int64(by_class.stratified(some, 30).pixels[:, 0])]
    assert [np.sum(chosen == label) for label in range(3)] == [13, 5, 12]


def test_unknown_quantisation_lists_the_known():
    with pytest.raises(ValueError, match="none, float16, dynamic, int8"):
        formats.find("tflite-int4")


def test_dynamic_files_run_in_older_runtimes():
    """2,560 dense weights are quantised, as 1,024 and more are.

    tflite-runtime 2.14 runs that and refuses 12, which is written where scales are by channel.
    """
    import zoo
    from export.classifier import Classifier

    keras.utils.set_random_seed(1)  # an untrained head's answers are close: another's may tie
    model = export_networks.randomised(zoo.build("resnet8", num_classes=40, image_size=8))
    many = Classifier(model, export_networks.DIGITS, tuple(map(str, range(40))))
    file = tflite.convert(many, quantize="dynamic")
    parsed = litert.schema.ModelT.InitFromPackedBuf(file)
    dense = {litert.operator_name(code): code.version for code in parsed.operatorCodes}
    assert dense["FULLY_CONNECTED"] == 9
    pixels = evidence().held_out.pixels
    found = parity.compare(np.array(model(pixels)), litert.Layers(file).logits(pixels))
    assert found.top1 >= 0.98 and found.rms < 0.05


def test_labels_stay_at_their_lines(tmp_path):
    """A folder may be called so; and of nothing at all there is still a line."""
    import zoo
    from export.classifier import Classifier

    names = ("new\nline", "a\u2028b\r\n", " ", "plain")
    model = export_networks.randomised(zoo.build("resnet8", num_classes=4, image_size=8))
    source = Classifier(model, export_networks.DIGITS, names)
    formats.find("tflite-none").write(source, tmp_path, evidence())
    with zipfile.ZipFile(tmp_path / "model.tflite") as archive:
        lines = archive.read("labels.txt").decode().splitlines()
    assert lines == ["new line", "a b", "2", "plain"]
