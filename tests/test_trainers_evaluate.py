"""Judging: numbers by hand, and the program as a user runs it."""

import csv
import functools
import json
import shutil
import unittest.mock

import numpy as np
import programs
import pytest
from export_networks import save_run
from sklearn import metrics

from trainers.data import sources
from trainers.judging import class_table, figures, scores
from trainers.plan import images as run_images
from trainers.run import classification
from zoo import files

# Five answers over three classes; the labels are 0, 1, 2, 2, 0.
PROBABILITIES = np.array(
    [[0.9, 0.05, 0.05], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.55, 0.25, 0.2], [0.4, 0.4, 0.2]]
)
LABELS = np.array([0, 1, 2, 2, 0])
NAMES = ("cat", "dog", "owl")
SCORES = scores.Scores(PROBABILITIES, LABELS, np.array([3, 5, 6, 7, 9]))


def test_errors_by_hand():
    found = figures.judge(SCORES, NAMES)
    assert found["images"] == 5
    assert found["error"] == 2 / 5  # images 1 and 3; the tie of the last is the earlier class'
    assert found["error_top5"] == 0
    assert found["loss"] == pytest.approx(-np.log([0.9, 0.3, 0.6, 0.2, 0.4]).mean())
    # cat is right in 2 of 4 answers, owl in 1 of 1
    assert found["classes"] == [
        {"name": "cat", "images": 2, "error": 0.0, "precision": 0.5, "recall": 1.0, "f1": 2 / 3},
        {"name": "dog", "images": 1, "error": 1.0, "precision": 0.0, "recall": 0.0, "f1": 0.0},
        {"name": "owl", "images": 2, "error": 0.5, "precision": 1.0, "recall": 0.5, "f1": 2 / 3},
    ]
    assert found["means"]["macro"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 4 / 9})
    assert found["means"]["weighted"] == pytest.approx(
        {"precision": 0.6, "recall": 0.6, "f1": 8 / 15}
    )
    # 0 called 0 twice; 1 called 0; 2 called 2 and called 0
    assert found["confusion"] == {"0": {"0": 2}, "1": {"0": 1}, "2": {"0": 1, "2": 1}}


def test_precision_recall_and_f1_are_scikit_learns():
    """Of 12 classes: one never called, one without images, one neither, which is left out."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 300)
    called = np.where(rng.uniform(size=300) < 0.6, labels, rng.choice([0, 1, 2, 3, 10], 300))
    called[called == 9] = 10
    found = figures.judge(
        scores.Scores(np.eye(12)[called], labels, np.arange(300)), [*"abcdefghijkl"]
    )
    oracle = functools.partial(metrics.precision_recall_fscore_support, labels, called)
    expected = oracle(labels=range(12), zero_division=0)
    for name, values in zip(figures.PER_CLASS, expected):
        own = [c[name] for c in found["classes"]]
        assert own[:11] == pytest.approx(values[:11]) and own[11] is None
    assert found["classes"][9]["precision"] == found["classes"][10]["recall"] == 0
    for average, means in found["means"].items():
        expected = oracle(average=average, zero_division=0)[:3]
        assert [means[name] for name in figures.PER_CLASS] == pytest.approx(expected)
    assert 1 - found["error"] == pytest.approx(found["means"]["weighted"]["recall"])


def test_the_table_of_classes_is_whole_and_its_print_short(tmp_path):
    names = [f"class, {i:03}" for i in range(100)]
    labels = np.repeat(np.arange(98), 2)  # the last two are neither there nor called
    called = np.where(labels == 41, 42, labels)
    found = figures.judge(scores.Scores(np.eye(100)[called], labels, np.arange(196)), names)
    files.write_csv(tmp_path / "classes.csv", *class_table.rows(found))
    with open(tmp_path / "classes.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == [*names, "", ""]
    assert rows[41] | {"row": "class", "images": "2", "error": "1.0", "recall": "0.0"} == rows[41]
    assert rows[42] | {"precision": "0.5", "recall": "1.0"} == rows[42]
    assert [rows[99][key] for key in ("images", "error", *figures.PER_CLASS)] == ["0", *4 * [""]]
    assert [row["row"] for row in rows[-2:]] == ["macro mean", "weighted mean"]
    lines = class_table.lines(found)
    assert len(lines) == 1 + 20 + 2 and "the 20 of lowest F1 of 98" in lines[0]
    assert lines[1].split() == ["class,", "041", "2", "0.00%", "0.00%", "0.00%"]
    assert lines[-2].split()[:4] == ["macro", "mean", "196", f"{96.5 / 98:.2%}"]


def test_ranks_by_hand():
    probabilities = np.array([[0.1, 0.2, 0.3, 0.05, 0.05, 0.15, 0.15]])
    ranks = [int(figures.rank(probabilities, np.array([c]))[0]) for c in range(7)]
    assert ranks == [4, 1, 0, 5, 6, 2, 3]
    many = np.repeat(probabilities, 7, axis=0)
    found = figures.judge(scores.Scores(many, np.arange(7), np.arange(7)), "abcdefg")
    assert found["error"] == pytest.approx(6 / 7) and found["error_top5"] == pytest.approx(2 / 7)


def test_calibration_error_by_hand():
    """Guo et al. 2017, Eq. 3. Two bins: 0.9 and 0.62 (width 1/15), 4 and 6 images."""
    confidence = np.array([0.9] * 4 + [0.62] * 6)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 0, 0, 1] + [0, 0, 1, 1, 1, 1])  # accuracies 3/4 and 1/3
    expected = 0.4 * abs(0.75 - 0.9) + 0.6 * abs(1 / 3 - 0.62)
    assert figures.calibration_error(probabilities, labels) == pytest.approx(expected)
    images, confidences, accuracies = figures.bins(probabilities, labels)
    assert images.sum() == 10 and sorted(accuracies[images > 0]) == [pytest.approx(1 / 3), 0.75]
    # Fifteen bins: 10/15 = 0.667 lies between these two.
    close = np.array([[0.65, 0.35], [0.68, 0.32]])
    assert list(np.flatnonzero(figures.bins(close, np.array([0, 0]))[0])) == [9, 10]


def test_the_worst_mistakes_come_first():
    source = sources.in_memory(
        "x", "validation", NAMES, np.zeros((10, 8, 8, 3), np.uint8), [0] * 10
    )
    found = figures.worst(SCORES, source)
    assert [(m["index"], m["label"], m["called"]) for m in found] == [
        (7, "owl", "cat"),
        (5, "dog", "cat"),
    ]
    assert found[0]["probability"] == 0.55 and found[0]["probability_of_label"] == 0.2


def evaluate(*arguments):
    return programs.run("trainers.evaluate", *arguments)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("run"))


def test_two_devices_and_any_batch_size_judge_alike(run_dir, tmp_path):
    """355 images in batches of 64 on one device, of 50 on two: neither divides."""
    results = []
    for name, arguments in (("a", []), ("b", ["--batch_size=50", "--logical_devices=2"])):
        place = tmp_path / name
        result = evaluate(f"--run_dir={run_dir}", f"--output_dir={place}", *arguments)
        assert result.returncode == 0 and result.stderr == "", result.stderr
        names = {p.name for p in place.iterdir()}
        pictures = {"confusion.png", "reliability.png", "worst.png"}
        assert names == {"evaluation.json", "classes.csv", *pictures}
        results.append(json.loads((place / "evaluation.json").read_text()))
    one, two = results
    assert one["images"] == two["images"] == 355
    assert sum(c["images"] for c in one["classes"]) == 355
    assert one["confusion"] == two["confusion"]
    assert one["loss"] == pytest.approx(two["loss"], rel=1e-5)
    assert 0 < one["error"] < 0.1 and f"top-1 error          {one['error']:8.2%}" in result.stdout
    assert not (run_dir / "evaluation.json").exists()  # another place was asked for


def test_an_ensemble_of_run_directories(run_dir, tmp_path):
    other = shutil.copytree(run_dir, tmp_path / "other")
    result = evaluate(f"--run_dir={run_dir}", f"--run_dir={other}", "--limit=40")
    assert result.returncode == 0, result.stderr
    found = json.loads((run_dir / "ensemble" / "evaluation.json").read_text())
    assert found["images"] == 40 and found["network"] == "resnet8 + resnet8"
    assert [m["error"] for m in found["members"]] == [found["error"]] * 2  # the same net twice
    assert result.stdout.count("alone: resnet8") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--views=multi_scale"], 1, "takes no other size: train it with --mean=channel"),
        (["--views=nine_crop"], 2, "center|ten_crop|multi_scale"),
        (["--weights=precise"], 1, "has no 'precise' weights"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(run_dir, arguments, code, sentence):
    result = evaluate(f"--run_dir={run_dir}", *arguments)
    assert result.returncode == code
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1


def test_center_scores_are_the_validation_of_training(run_dir, monkeypatch):
    """The same errors and loss as the loop's own evaluation, which sums on the device."""
    import tensorflow as tf

    from zoo import archive

    strategy = tf.distribute.get_strategy()
    model, manifest = archive.load(run_dir)
    source = run_images.source_of(manifest)
    traced = unittest.mock.Mock(wraps=classification.pipelines.evaluate)
    monkeypatch.setattr(classification.pipelines, "evaluate", traced)
    evaluation = classification.evaluation(model, source, manifest.input, 64, strategy)
    expected = evaluation()
    assert evaluation() == expected  # the next round's, of images that are traced once
    assert traced.call_count == 1
    found = scores.of_network(model, manifest, source, scores.Look(), strategy)
    verdict = figures.judge(found, manifest.class_names)
    assert {name: verdict[name] for name in expected} == pytest.approx(expected, rel=1e-5)
