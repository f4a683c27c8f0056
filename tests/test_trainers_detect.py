"""The detector's trainer as a person runs it: killed, resumed to the bit, given bad input."""

import json
import signal

import numpy as np
import programs
import pytest
from keras.ops import convert_to_numpy as convert
from pictures_with_boxes import coco, drawn
from runs_on_digits import records, run, wait_for

import zoo
from zoo import archive
from zoo.detection import detect

TINY = (
    *("--data=coco", "--recipe=scenes", "--model=resnet8", "--shorter_px=32", "--longer_px=40"),
    *("--batch_size=2", "--steps=12", "--round_steps=6", "--anchor_sizes=12,20", "--bins=4"),
    *("--rpn_filters=8", "--rpn_anchors=16", "--regions=8", "--proposals=10", "--mirror"),
    *("--train_proposals=20", "--warmup_steps=2", "--learning_rate=0.01", "--nopictures"),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Eight and four pictures of 32 x 40, each with a rectangle; one of them without any."""
    root = tmp_path_factory.mktemp("coco")
    rng = np.random.default_rng(0)
    for split, count in {"train2017": 8, "val2017": 4}.items():
        images, annotations = {}, []
        for number in range(count):
            y, x = rng.integers(0, (18, 24))
            images[f"{number:03}.png"] = (number, drawn(32, 40, (y, x, y + 14, x + 14)))
            if number:
                box = {"bbox": [int(x), int(y), 14, 14], "area": 196}
                annotations.append({"image_id": number, "category_id": 7, **box})
        coco(root, images, annotations, {7: "red"}, split)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_a_killed_run_ends_in_the_same_bits(pictures, tmp_path, devices):
    words = [*TINY, f"--data_dir={pictures}", f"--logical_devices={devices}"]
    words += ["--checkpoint_steps=2"]  # where replicas' statistics are averaged
    whole = run("detect", *words, f"--run_dir={tmp_path / 'whole'}")
    assert whole.returncode == 0, whole.stderr
    assert "anchors cover" in whole.stdout and "trainers.evaluate_detections" in whole.stdout
    killed = tmp_path / "killed"
    words += [f"--run_dir={killed}"]
    process = programs.Started("trainers.detect", *words, "--steps_per_execution=1")
    wait_for(killed / "checkpoints" / "ckpt-*.index", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = run("detect", *words)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming at step" in resumed.stdout
    assert records(killed) == records(tmp_path / "whole")
    for ours, theirs in zip(variables(killed), variables(tmp_path / "whole"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def variables(run_dir):
    model, _ = archive.load(run_dir, kind="detector")
    return [convert(v) for v in model.variables]


@pytest.mark.slow
def test_a_run_s_detector_is_loaded_and_looks(pictures, tmp_path):
    words = [*TINY, f"--data_dir={pictures}", "--steps=2", "--round_steps=2"]
    done = run("detect", *words, f"--run_dir={tmp_path}")
    assert done.returncode == 0, done.stderr
    model, manifest = archive.load(tmp_path, kind="detector")
    assert (manifest.kind, manifest.class_names) == ("detector", ("red",))
    assert manifest.data["category_ids"] == [7]
    look = detect.detecting(model, manifest.network)
    found, proposals, count = look(np.zeros((1, 32, 40, 3), "float32"), np.array([[32, 40]]))
    assert found.boxes.shape == (1, 100, 4) and proposals.shape == (1, 10, 4)
    assert 0 < count[0] <= 10
    with pytest.raises(archive.ArchiveError, match="holds a detector, expected a classifier"):
        zoo.load(tmp_path)
    record = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    parts = [record[f"{name}_loss"] for name in ("rpn_class", "rpn_box", "class", "box")]
    assert record["loss"] == pytest.approx(sum(parts), rel=1e-5)
    assert {"validation_AP", "validation_AP50", "validation_recall"} <= record.keys()
    again = run("detect", *words, f"--run_dir={tmp_path}", "--bins=8")
    assert again.returncode == 1 and "--bins differ" in again.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--data_dir=x"], "expected --data with it"),
        (["--data=scenes", "--data_dir=x"], "is not for scenes"),
        (["--bins=5"], "expected an even number"),
        (["--shorter_px=800", "--longer_px=600"], "--longer_px=600: expected at least"),
        (["--freeze=conv2"], "give --init_from"),
        (["--xla"], "--xla cannot compile"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, sentence, tmp_path):
    result = run("detect", *words, f"--run_dir={tmp_path / 'r'}")
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1
