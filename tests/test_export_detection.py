"""A detector's artifacts, as their users run them, beside the network and its evaluation."""

import dataclasses
import json

import numpy as np
import programs
import pytest
import tensorflow as tf
from small_detectors import NAMES, network, save_run

from export import card, check, recheck
from export.detection import detector, forms, graph, parity, pictures, publish
from export.errors import ExportError
from export.serving import model
from trainers.data import boxes
from trainers.judging.detection import evaluation
from zoo import archive
from zoo.detection.detect import detecting
from zoo.detection.network import build_detector

KINDS = ("saved_model", "tflite-none", "onnx")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("detector"))


@pytest.fixture(scope="module")
def trained(run_dir):
    return detector.from_run(run_dir)


@pytest.fixture(scope="module")
def held_out(trained, run_dir):
    return pictures.of_run(trained, 10, run_dir=run_dir)


@pytest.fixture(scope="module")
def published(trained, held_out, tmp_path_factory):
    """{name of a form: (directory, proof)}."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(card, "SECONDS", 0.05)
        return {
            name: publish.publish_detector(
                trained, forms.find(name), held_out, tmp_path_factory.mktemp(name)
            )
            for name in KINDS
        }


def padded(pixels, height=48, width=48):
    return np.pad(pixels, ((0, height - pixels.shape[0]), (0, width - pixels.shape[1]), (0, 0)))[
        None
    ]


def same(found, images):
    """Whether an artifact's answer to (1, H, W, 3) is that of the network's own graph."""
    expected, *_ = detecting(*network())(tf.constant(images), tf.constant([images.shape[1:3]]))
    assert 1 <= expected.count[0] <= 10
    np.testing.assert_array_equal(found["count"], expected.count)
    np.testing.assert_array_equal(found["class_ids"], expected.classes)
    np.testing.assert_allclose(found["scores"], expected.scores, atol=1e-5)
    np.testing.assert_allclose(found["boxes"], expected.boxes, atol=1e-3)


def test_tensorflow_finds_the_same_at_every_size(published, held_out):
    run = tf.saved_model.load(str(published["saved_model"][0])).signatures["detect"]
    assert len({row.pixels.shape for row in held_out.rows}) > 2
    for row in held_out.rows:
        images = row.pixels[None]
        same(run(images=tf.constant(images)), images)


def test_litert_finds_the_same(published, held_out):
    from ai_edge_litert.interpreter import Interpreter

    path = published["tflite-none"][0] / "model.tflite"
    run = Interpreter(str(path)).get_signature_runner("detect")
    for row in held_out.rows:
        images = padded(row.pixels)
        same(run(images=images), images)


def test_onnxruntime_and_openvino_find_the_same(published, held_out):
    import onnxruntime
    import openvino

    path = published["onnx"][0] / "model.onnx"
    session, core = onnxruntime.InferenceSession(path), openvino.Core()
    assert [x.name for x in session.get_inputs()] == ["images"]
    compiled = core.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for row in held_out.rows:
        images = padded(row.pixels)
        same(dict(zip(graph.OUTPUTS, session.run(graph.OUTPUTS, {"images": images}))), images)
        answer = compiled({"images": images})
        same({name: answer[name] for name in graph.OUTPUTS}, images)


def test_openvino_reads_the_signature_of_a_saved_model(published, held_out):
    import openvino

    loaded = tf.saved_model.load(str(published["saved_model"][0]))
    model = openvino.convert_model(loaded.signatures["detect"])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for row in held_out.rows[:2]:  # of two sizes
        answer = compiled([row.pixels[None]])
        same({name: answer[name] for name in graph.OUTPUTS}, row.pixels[None])


def test_bytes_give_boxes_where_evaluation_finds_them(published, run_dir):
    """In the files' own pixels, upright; what is no picture has none, its neighbours theirs."""
    trained, manifest = archive.load(run_dir, kind="detector")
    source = boxes.load("coco", "validation", data_dir=manifest.data["data_dir"])
    seen = evaluation.see(trained, manifest, source).found
    contents = [bytes(x) for x in source.fetch(np.arange(4))[0].numpy()]
    run = tf.saved_model.load(str(published["saved_model"][0])).signatures["detect_bytes"]
    sent = [contents[0], b"no picture", contents[1], contents[2][:60], contents[3], b""]
    found = {name: x.numpy() for name, x in run(image_bytes=tf.constant(sent)).items()}
    assert found["ok"].tolist() == [True, False, True, False, True, False]
    for row, picture in ((0, 0), (2, 1), (4, 3)):
        own = seen.picture == picture
        count = found["count"][row]
        assert count == own.sum() > 0
        np.testing.assert_allclose(found["boxes"][row, :count], seen.boxes[own], atol=1e-3)
        np.testing.assert_allclose(found["scores"][row, :count], seen.scores[own], atol=1e-5)
        np.testing.assert_array_equal(found["class_ids"][row, :count], seen.classes[own])
        names = [NAMES[kind].encode() for kind in seen.classes[own]]
        assert found["class_names"][row].tolist() == names + [b""] * (10 - count)
        assert (found["class_ids"][row, count:] == -1).all()
    tall = found["boxes"][2, : found["count"][2]]
    assert tall[:, 2].max() > 36 and tall[:, 3].max() <= 36  # seen 60 high, 36 wide
    assert found["count"][[1, 3, 5]].tolist() == [0, 0, 0]
    assert (found["class_ids"][[1, 3, 5]] == -1).all() and not found["boxes"][[1, 3, 5]].any()


def test_what_lies_beside_an_artifact_is_checked(published, tmp_path):
    for name in KINDS:
        directory, proof = published[name]
        assert {x.same for x in proof.values()} == {1.0}
        assert set(proof) == ({"pixels", "bytes"} if name == "saved_model" else {"pixels"})
        assert check.problems(directory) == [] and recheck.wrong_answers(directory) == []
        metadata = json.loads((directory / "metadata.json").read_text())
        assert metadata["kind"] == "detector" and metadata["class_names"] == list(NAMES)
        assert (directory / "labels.txt").read_text() == "cup\nowl\npen\n"
        card = (directory / "MODEL_CARD.md").read_text()
        assert "Faster R-CNN" in card and str(proof["pixels"].detections) in card
        assert (directory / "detections.png").read_bytes().startswith(b"\x89PNG")


def test_a_cards_own_lines_run(published):
    """The first Python of each card, in the artifact's directory: a line an object."""
    for name in KINDS:
        directory = published[name][0]
        code = (directory / "MODEL_CARD.md").read_text().split("```python\n")[1].split("```")[0]
        told = []
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(directory)
            exec(code, {"print": lambda *words, told=told: told.append(words)})
        assert len(told) > 0 and len(told[0]) == 3


def test_the_fixed_size_is_the_pictures_or_asked_for(published, run_dir):
    assert published["onnx"][0].parts[-1] == "1"
    for name in ("tflite-none", "onnx"):
        sides = forms.find(name).load(published[name][0]).interface["detect"]["inputs"]
        assert sides["images"] == {"dtype": "float32", "shape": [1, 48, 48, 3]}
    larger = detector.from_run(run_dir, image_size=64)
    found = pictures.of_run(larger, 10, run_dir=run_dir)
    # 40 x 48 -> 53.3 x 64, 60 x 36 -> 64 x 38.4, 70 x 52 -> 64 x 47.5, 40 x 40 -> 64 x 64
    sizes = [row.pixels.shape[:2] for row in found.rows]
    assert sizes == [(53, 64), (64, 38), (64, 48), (64, 64)] and found.canvas == (64, 64)


def test_another_detectors_artifact_is_not_published(trained, held_out, tmp_path):
    """One layer's weights a thousandth larger: other boxes by more than rounding."""
    own, described = network()
    other = build_detector(described)
    other.set_weights(own.get_weights())
    kernel, bias = other.get_layer("box_deltas").get_weights()
    other.get_layer("box_deltas").set_weights([1.001 * kernel, bias])
    changed = dataclasses.replace(trained, model=other)
    form = forms.find("saved_model")
    wrong = dataclasses.replace(form, write=lambda _, *more: form.write(changed, *more))
    with pytest.raises(ExportError, match="not published.\npixels: the detections are the same on"):
        publish.publish_detector(trained, wrong, held_out, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_detector_that_finds_nothing_is_not_published(trained, held_out, tmp_path):
    blind = dataclasses.replace(trained.detector, least_score=0.99999)
    trained = dataclasses.replace(trained, detector=blind)
    with pytest.raises(ExportError, match="finds nothing in 4 of the 4 validation pictures"):
        publish.publish_detector(trained, forms.find("onnx"), held_out, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_server_of_classifiers_says_so(published):
    with pytest.raises(ExportError, match="is a detector, and this server answers for classifiers"):
        model.load(published["saved_model"][0])


@pytest.mark.parametrize("quantize", ["int8", "dynamic", "float16"])
def test_fewer_bits_are_refused(quantize):
    with pytest.raises(ExportError, match=f"fewer bits move its boxes; got tflite-{quantize}"):
        forms.find(f"tflite-{quantize}")


def answer(*rows):
    """(box, score, class) -> Answer."""
    found, scores, class_ids = zip(*rows)
    return parity.Answer(np.float32(found), np.float32(scores), np.int32(class_ids))


A, B = ((0, 0, 10, 20), 0.5, 1), ((30, 40, 50, 90), 0.5, 1)


def test_detections_are_compared_in_any_order():
    assert parity.differences(answer(A, B), answer(B, A)) == (0, 0)
    moved = answer(((30, 40, 50, 90.25), 0.375, 1), A)
    assert parity.differences(answer(A, B), moved) == (0.25, 0.125)
    # Each takes one of its own: of two alike, one has gone elsewhere.
    assert parity.differences(answer(A, A), answer(A, B))[0] == 70
    for other in (answer(A), answer(A, (*B[:2], 2))):
        assert parity.differences(answer(A, B), other) == (np.inf, np.inf)


def test_the_gate_counts_pictures():
    """Corners to 1e-5 of the longer side: 0.01 of 100 px no, 0.01 of 2,000 px yes."""
    moved = answer(((0, 0, 10, 20.01), 0.5, 1))
    expected, found = [answer(A)] * 3, [answer(A), moved, moved]
    comparison = parity.compare(expected, found, [100, 100, 2000], parity.FLOAT32)
    assert comparison.same == pytest.approx(2 / 3) and comparison.detections == 3
    assert comparison.boxes_px == pytest.approx(0.01, abs=1e-5)
    assert parity.misses(comparison, parity.FLOAT32) == []  # one may be a tie
    worse = parity.compare(expected, found, [100, 100, 100], parity.FLOAT32)
    assert "33.33% of 3 pictures" in parity.misses(worse, parity.FLOAT32)[0]
    none = parity.compare(expected[:1], [moved], [100], parity.FLOAT32)
    assert len(parity.misses(none, parity.FLOAT32)) == 1
    with pytest.raises(ValueError, match="not finite"):
        parity.compare(expected[:1], [answer(((0, 0, np.nan, 1), 1, 1))], [100], parity.FLOAT32)


def test_the_program_knows_a_detector(run_dir, tmp_path):
    words = [f"--run_dir={run_dir}", f"--output_dir={tmp_path / 'out'}"]
    result = programs.run("export.onnx", *words)
    assert result.returncode == 0, result.stderr
    assert "resnet8, a detector, as onnx, compared on 4 of the 4 validation" in result.stdout
    assert (tmp_path / "out" / "1" / "model.onnx").exists()
