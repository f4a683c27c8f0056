"""The localisers' programs as a person runs them: killed, resumed, judged, given bad input."""

import json
import signal
import subprocess

import numpy as np
import pytest
from keras.ops import convert_to_numpy as convert
from pictures_with_boxes import BLUE, RED, coco, drawn
from programs import Started
from runs_on_digits import command, records, run, wait_for

from zoo import archive

TINY = (
    *("--data=coco", "--recipe=scenes_single", "--model=resnet8", "--shorter_px=32"),
    *("--longer_px=48", "--crop_px=28", "--batch_size=8", "--steps=40", "--round_steps=20"),
    *("--anchor_sizes=12,20", "--rpn_filters=16", "--mirror", "--warmup_steps=4", "--nopictures"),
)
CATEGORIES = {4: "blue", 7: "red"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Eight and four pictures of 32 x 40, each with a red or a blue rectangle."""
    root = tmp_path_factory.mktemp("coco")
    rng = np.random.default_rng(0)
    for split, count in {"train2017": 8, "val2017": 4}.items():
        images, annotations = {}, []
        for number in range(count):
            y, x = map(int, rng.integers(0, (18, 24)))
            colour, kind = ((BLUE, 4), (RED, 7))[number % 2]
            images[f"{number:03}.png"] = number, drawn(32, 40, (y, x, y + 14, x + 14), colour)
            box = {"bbox": [x, y, 14, 14], "area": 196}
            annotations.append({"image_id": number, "category_id": kind, **box})
        coco(root, images, annotations, CATEGORIES, split)
    return root


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    result = run("localise", *TINY, f"--data_dir={pictures}", f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    assert "anchors cover" in result.stdout and "trainers.evaluate_localisation" in result.stdout
    return run_dir


def test_records_have_losses_and_errors(trained):
    record = records(trained)[-1]
    parts = record["class_loss"] + record["box_loss"]
    assert record["loss"] == pytest.approx(parts, rel=1e-5)
    errors = {"gt_class_error", "error", "error_top5", "class_error", "class_error_top5"}
    assert {f"validation_{name}" for name in errors} <= record.keys()
    assert record["validation_error_top5"] == record["validation_gt_class_error"]  # two classes
    manifest = archive.load_manifest(trained)
    assert (manifest.kind, manifest.class_names) == ("localiser", ("blue", "red"))


@pytest.mark.exhaustive  # the detector's loop, killed in test_trainers_detect.py
def test_a_killed_run_ends_in_the_same_bits(pictures, trained, tmp_path):
    words = [*TINY, f"--data_dir={pictures}", f"--run_dir={tmp_path}", "--checkpoint_steps=8"]
    process = subprocess.Popen(
        command("localise", *words, "--steps_per_execution=1"), stdout=subprocess.DEVNULL
    )
    wait_for(tmp_path / "checkpoints" / "ckpt-*.index", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = run("localise", *words)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming at step" in resumed.stdout
    assert records(tmp_path) == records(trained)
    for ours, theirs in zip(variables(tmp_path), variables(trained), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def variables(run_dir, kind="localiser"):
    return [convert(v) for v in archive.load(run_dir, kind=kind)[0].variables]


def test_it_is_judged_by_its_own_scores(trained, tmp_path):
    result = run(
        "evaluate_localisation", f"--run_dir={trained}", "--views=center",
        f"--output_dir={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    verdict = json.loads((tmp_path / "evaluation.json").read_text())
    assert verdict["pictures"] == 4 and verdict["views"] == "center"
    assert verdict["error_top5"] == verdict["gt_class_error"] and verdict["class_error_top5"] == 0
    assert [one["pictures"] for one in verdict["classes"]] == [2, 2]
    assert "classes by its own scores" in result.stdout and "top-1: class and box" in result.stdout
    assert (tmp_path / "localisations.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--data_dir=x"], 2, "imagenet for the challenge's archive"),
        (["--data=scenes_single", "--data_dir=x"], 2, "is not for scenes_single, which need none"),
        (["--shorter_px=800", "--longer_px=600"], 2, "--longer_px=600: expected at least"),
        (["--xla"], 2, "--xla cannot compile"),
        (["--data=scenes"], 1, "expected objects of one class on each"),
    ],
)
def test_what_cannot_be_meant_is_refused(words, code, sentence, tmp_path):
    result = run("localise", *words, f"--run_dir={tmp_path / 'r'}")
    assert (result.returncode, result.stdout) == (code, "")
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "r").exists()


REFINING = (
    *("--recipe=scenes_single", "--model=resnet8", "--batch_size=16", "--steps=20"),
    *("--round_steps=10", "--region_px=16", "--proposals=12", "--warmup_steps=4", "--nopictures"),
)


@pytest.fixture(scope="module")
def refined(trained, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "refined"
    result = run("refine", *REFINING, f"--localiser={trained}", f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    assert f"proposals of {trained}: " in result.stdout and " at an object, " in result.stdout
    assert "python -m trainers.evaluate_localisation" in result.stdout
    return run_dir


def test_proposals_are_refined_and_judged(trained, refined, tmp_path):
    manifest = archive.load_manifest(refined)
    assert (manifest.kind, manifest.class_names) == ("refiner", ("blue", "red"))
    assert manifest.data["localiser"]["run_dir"] == str(trained)
    record = records(refined)[-1]
    assert record["loss"] == pytest.approx(record["class_loss"] + record["box_loss"], rel=1e-5)
    result = run("evaluate_localisation", f"--run_dir={refined}", f"--output_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    verdict = json.loads((tmp_path / "evaluation.json").read_text())
    assert verdict["refined"] and verdict["pictures"] == 4 and verdict["class_error_top5"] == 0
    assert verdict["gt_class_error"] == record["validation_gt_class_error"]
    assert "R-CNN on proposals by class" in result.stdout


@pytest.mark.exhaustive  # its batches, test_data_boxes_regions.py
def test_a_killed_refiner_ends_in_the_same_bits(trained, refined, tmp_path):
    """On the proposals that it began with, which are not asked for again."""
    words = [*REFINING, f"--localiser={trained}", f"--run_dir={tmp_path}", "--checkpoint_steps=4"]
    process = Started("trainers.refine", *words, "--steps_per_execution=1")
    wait_for(tmp_path / "checkpoints" / "ckpt-*.index", process)
    process.kill()
    process.wait()
    before = (tmp_path / "proposals.npz").stat().st_mtime_ns
    resumed = run("refine", *words)
    assert resumed.returncode == 0 and "resuming at step" in resumed.stdout, resumed.stderr
    assert (tmp_path / "proposals.npz").stat().st_mtime_ns == before
    assert records(tmp_path) == records(refined)
    pairs = zip(variables(tmp_path, "refiner"), variables(refined, "refiner"), strict=True)
    for ours, theirs in pairs:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--localiser=nowhere"], 2, "nowhere holds no trained network"),
        (["--localiser=REFINED"], 2, "holds a refiner, expected a localiser: a run of trainers"),
        (["--localiser=TRAINED", "--data=voc"], 2, "--data=voc is not coco, which --localiser="),
        (["--localiser=TRAINED", "--strategy=multiworker"], 2, "proposals stay in one process"),
        (["--localiser=TRAINED", "--data_dir=nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_refined_is_one_sentence(words, code, sentence, trained, refined, tmp_path):
    words = [w.replace("REFINED", str(refined)).replace("TRAINED", str(trained)) for w in words]
    result = run("refine", *words, f"--run_dir={tmp_path / 'r'}")
    assert (result.returncode, result.stdout) == (code, "")
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--run_dir=REFINED", "--views=center"], "--views=center is for a localiser alone"),
        (["--run_dir=TRAINED", "--localiser=x"], "--localiser is for a run of trainers.refine"),
        (["--run_dir=REFINED", "--localiser=REFINED"], "holds a refiner, expected a localiser"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(words, sentence, trained, refined):
    words = [w.replace("REFINED", str(refined)).replace("TRAINED", str(trained)) for w in words]
    result = run("evaluate_localisation", *words)
    assert (result.returncode, result.stdout) == (1, "")
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1
