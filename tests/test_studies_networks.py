"""Networks judged in several ways: answers that are kept, ensembles, what is said of them."""

import json
import subprocess
import types

import numpy as np
import pytest
from export_networks import DIGITS, NAMES, program, randomised, save_run, trained_on_digits

import zoo
from trainers.data import sources
from trainers.judging import paired, scores
from trainers.studies import answers, ensemble, jobs, multiscale, networks, options, report
from zoo import archive


def test_a_runs_answers_are_its_own_and_are_kept(tmp_path, monkeypatch):
    """Keras' own prediction on the same 355 images; asked again, nothing is computed."""
    found = answers.of_run(save_run(tmp_path))
    source = sources.load("digits", "validation")
    images, labels = source.fetch(np.arange(355))
    expected = trained_on_digits().predict(np.float32(images), verbose=0).argmax(axis=1) != labels
    assert np.array_equal(answers.wrong(found), expected)
    assert answers.errors(found)["error"] == pytest.approx(np.mean(expected))
    monkeypatch.setattr(scores, "of_network", lambda *_: pytest.fail("computed again"))
    again = answers.of_run(tmp_path)
    assert np.array_equal(again.probabilities, found.probabilities)
    with pytest.raises(pytest.fail.Exception):  # another question is another answer
        answers.of_run(tmp_path, limit=10)


def scores_of(called, labels, first=0):
    """Scores of three classes that are sure of what they call."""
    return scores.Scores(np.eye(3)[called], np.array(labels), np.arange(first, first + len(labels)))


def test_the_same_images_are_compared():
    one, other = scores_of([0, 1, 2, 0], [0, 0, 0, 0]), scores_of([0, 0, 0, 0], [0, 0, 0, 0])
    assert answers.compare([one], [other]).mean == 0.5  # two of four that the first alone misses
    assert answers.errors(one) == {"error": 0.5, "error_top5": 0.0}
    for wrong in (scores_of([0] * 4, [0] * 4, first=1), scores_of([0] * 4, [0, 0, 0, 1])):
        with pytest.raises(jobs.StudyError, match="compared on the same images"):
            answers.compare([one], [wrong])


def test_one_seed_is_said_to_be_one():
    for p, said in (((0.5,), True), ((0.5, 0.25), False)):
        text = answers.table({("a", "b"): paired.Difference(0.01, -0.01, 0.02, p)}, report)
        assert "| a less b | +1.00 | -1.00 to +2.00 | 0.5" in text
        assert ("another seed may order them otherwise" in text) is said


LOWER, SAME = paired.Difference(0.01, 0.005, 0.015, ()), paired.Difference(0.01, -0.01, 0.02, ())


def test_what_several_scales_change_is_said():
    said = multiscale.finding({"a": LOWER, "b": SAME, "c": -LOWER}, "")
    assert "a: the error is lower, -1.00 points (-1.50 to -0.50)" in said
    assert "b: a change does not show" in said and "c: the error is higher, +1.00" in said
    assert said.startswith("That five scales are better than one view shows with a. ")
    said = multiscale.finding({"b": SAME, "c": -LOWER}, " after 300 steps")
    assert "does not show with any network after 300 steps. " in said


def test_the_papers_rows_stand_beside_ours():
    measured = dict.fromkeys(multiscale.VIEWS, [{"error": 0.25, "error_top5": 0.125}])
    rows = multiscale.table_rows("mine", "resnet152 B", measured, report)
    assert rows[0] == ["mine", "one view", "25.00", "12.50", "–", "–"]
    assert rows[1][4:] == ["21.43", "5.71"] and rows[2][4:] == ["19.38", "4.49"]  # Tables 3, 4


def test_an_ensemble_is_judged_by_the_same_rule():
    assert "have a lower error than the best of them, a," in ensemble.finding("a", 3, LOWER)
    assert "are not shown to differ in error from" in ensemble.finding("a", 3, SAME)
    assert "have a higher error than" in ensemble.finding("a", 3, -LOWER)


def test_own_nets_are_trained_at_several_scales(tmp_path):
    found = networks.own_jobs(options.Options(seeds=(5, 6, 7)))
    assert set(found) == set(networks.NETS) and [job.seed for job in found["resnet8"]] == [5, 6]
    settings = dict(found["resnet8"][0].settings)
    assert settings["augmentation"] == "scale_jitter" and settings["mean"] == "channel"


@pytest.mark.parametrize(
    "given, steps, expected",
    [(None, None, " after 300 steps"), (None, 1200, " after 1,200 steps"), (["runs/a"], None, "")],
)
def test_a_finding_is_bound_to_the_steps_of_the_studys_own_runs(
    monkeypatch, given, steps, expected
):
    asked = types.SimpleNamespace(FLAGS=types.SimpleNamespace(run_dir=given))
    monkeypatch.setattr(networks, "flags", asked)
    assert networks.after(options.Options(steps=steps)) == expected


def test_an_ensemble_of_given_runs_as_a_user_asks(tmp_path):
    """Their softmax' mean; neither's training data are asked for. Their names may be long."""
    tmp_path = tmp_path / "a" / "-".join(["long"] * 30)
    for seed in (0, 1):
        network = zoo.Network("resnet8", 10, 8, "A")
        model = randomised(zoo.build_network(network), seed)
        manifest = archive.Manifest(network, DIGITS, NAMES, data={"name": "digits"})
        archive.save(model, manifest, tmp_path / f"run{seed}")
    runs = [f"--run_dir={tmp_path / f'run{seed}'}" for seed in (0, 1)]
    command = program("trainers.studies.ensemble", *runs, "--limit=30", f"--output_dir={tmp_path}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    measured = json.loads((tmp_path / "ensemble.json").read_text())["measured"]
    kept = [answers.of_run(tmp_path / f"run{seed}", "multi_scale", 30) for seed in (0, 1)]
    mean = (kept[0].probabilities + kept[1].probabilities) / 2
    expected = np.mean(mean.argmax(axis=1) != kept[0].labels)
    assert measured["first 2 together"][0]["error"] == pytest.approx(expected)
    text = (tmp_path / "ensemble.md").read_text()
    assert "the evaluation server alone can tell" in text and "30 validation images" in text
