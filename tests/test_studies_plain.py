"""The studies of plain nets: what they train, what they measure, what they then say."""

import dataclasses
import json
import math
import types

import keras
import numpy as np
import pytest
from export_networks import randomised
from keras.ops import convert_to_numpy as convert

import zoo
from trainers.engine import checkpoints
from trainers.judging import gradients
from trainers.plan.recipes import RECIPES
from trainers.run import reproducible
from trainers.studies import (
    budgets,
    construction,
    degradation,
    degrading,
    fig7,
    figures,
    jobs,
    options,
    report,
    responding,
    states,
)
from trainers.studies import responses as responses_study
from trainers.watching import responses
from zoo import archive
from zoo.preprocess import InputContract

DEMO = options.Options(seeds=(0, 1))


@pytest.fixture(autouse=True)
def no_fashion(tmp_path, monkeypatch):
    """Whatever this machine has prepared, the demo takes digits."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))


# -- what is trained


def test_a_budget_is_so_many_times_the_steps():
    asked = dataclasses.replace(DEMO, steps=40)
    assert dict(budgets.settings("plain8", asked, 0.5))["steps"] == "20"
    flags = dict(budgets.settings("plain8", asked, 4, decay="all"))
    assert (flags["steps"], flags["round_steps"], flags["decay"]) == ("160", "32", "all")
    assert flags["learning_rate"] == "0.005"  # of digits, at which 32 layers learn
    paper = options.Options(scale="paper")
    assert dict(budgets.settings("plain20", paper)) == {"data": "cifar10", "recipe": "cifar10"}
    flags = dict(budgets.settings("plain34", paper, 3))
    assert (flags["steps"], flags["round_steps"]) == ("1800000", "1000")  # 3 x 60e4, Sec. 3.4


def test_the_caveat_has_the_rate_that_digits_are_trained_at():
    said = budgets.caveat(DEMO, ["plain8"])
    assert "at a learning rate of 0.005, divided by 10" in said and "0.02" not in said


def test_the_longer_runs_are_the_shallowest_and_the_deepest_plain_net():
    todo = degradation.runs(["plain32", "plain8", "plain20", "resnet20"], DEMO, 4)
    longer = {label: each for label, each in todo.items() if "," in label}
    assert list(longer) == ["plain8, 4 times the steps", "plain32, 4 times the steps"]
    (one,) = longer["plain8, 4 times the steps"]  # the first seed's alone
    assert one.seed == 0 and dict(one.settings)["steps"] == str(4 * 400)
    assert len(degradation.runs(["plain8", "resnet20"], DEMO, 4)) == 2
    paper = dict(degradation.settings("resnet34", options.Options(scale="paper")))
    assert paper == {"data": "imagenet2012", "recipe": "imagenet", "shortcut": "A"}  # Table 2


def test_studies_of_plain_nets_share_their_runs():
    scratch = construction.from_scratch("plain20", "plain44", DEMO)
    degraded = degradation.runs(degradation.NETS["demo"], DEMO, 4)
    responding_ = responses_study.runs(DEMO)
    assert scratch["plain44, 2x"] == degraded["plain44"]
    assert scratch["plain44, 8x"] == degraded["plain44, 4 times the steps"]
    assert scratch["resnet44, 2x"] == degraded["resnet44"] == responding_["resnet44"]
    assert scratch["plain20"] != degraded["plain20"] == responding_["plain20"]
    assert dict(responding_["resnet44, decay 0.1 on all"][0].settings)["decay"] == "all"
    assert "resnet20, decay 0.1 on kernels" in responding_
    paper = responses_study.runs(options.Options(scale="paper"))
    assert dict(paper["resnet56, decay on all"][0].settings) == {
        **jobs.CIFAR,
        "decay": "all",
    }


# -- what is measured


def test_gradients_are_those_of_numpy():
    """Softmax regression on pooled features f: the gradient of its kernel is f (p - y) / N."""
    model = randomised(zoo.build("plain8", image_size=8, num_classes=3))
    rng = np.random.default_rng(0)
    images, labels = np.float32(rng.integers(0, 256, (5, 8, 8, 3))), np.array([0, 1, 2, 1, 1])
    batches = [(images, labels), (images[::-1] / 2, labels)]
    inner = keras.Model(model.input, [model.get_layer("avg_pool").output, model.output])
    squares = []
    for batch, _ in batches:
        features, logits = (np.float64(convert(x)) for x in inner(batch, training=True))
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        squares.append(np.sum((features.T @ (shares - np.eye(3)[labels]) / 5) ** 2))
    found = gradients.of_layers(model, batches)
    assert len(found) == 8 and [row["layer"] for row in found][::7] == ["conv1", "logits"]
    assert found[-1]["norm"] == pytest.approx(math.sqrt(np.mean(squares)), rel=1e-3)


def test_the_untrained_net_is_the_one_that_the_run_began_with():
    network = zoo.Network(name="plain8", num_classes=10, image_size=8, shortcut=None, mean="pixel")
    manifest = types.SimpleNamespace(network=network, seed=7)
    trained = randomised(zoo.build_network(network))
    trained.get_layer("pixels").mean.assign(np.full((8, 8, 3), 9.0))
    with reproducible.weights_of(7):
        begun = zoo.build_network(network)
    found = states.untrained(trained, manifest)
    for ours, theirs in zip(found.trainable_variables, begun.trainable_variables, strict=True):
        np.testing.assert_array_equal(convert(ours), convert(theirs))
    assert convert(found.get_layer("pixels").mean).max() == 9


def test_a_block_left_out_is_its_shortcut():
    """With F = 0 a block gives relu(x) = x, x being behind a ReLU: the next block's input."""
    model = randomised(zoo.build("resnet14", image_size=8))
    rng = np.random.default_rng(0)
    images = np.float32(rng.integers(0, 256, (64, 8, 8, 3)))
    model.get_layer("conv4_block2_2_bn").beta.assign(rng.normal(0, 50, 64))  # decides the class
    before = [convert(v) for v in model.variables]
    entering = zoo.features(model, ["conv4_block1_out"])(images)["conv4_block1_out"]
    head = keras.Model(model.get_layer("avg_pool").input, model.output)
    expected = np.argmax(convert(head(entering)), axis=1)  # conv4_block2 is the last block
    whole = np.argmax(convert(model(images, training=False)), axis=1)
    assert (expected != whole).any()
    error, blocks = responses.without_blocks(
        model, [(images[:40], whole[:40]), (images[40:], whole[40:])]
    )
    assert error == 0 and [row["block"] for row in blocks][-1] == "conv4_block2"
    assert blocks[-1]["error_without"] == pytest.approx(np.mean(expected != whole))
    for ours, theirs in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(convert(ours), theirs)


# -- what is said


def results_of(errors):
    """{label: final training errors, one a seed} as Results; validation errors are the same."""
    history = {
        label: [[{"step": 1, "error": e, "validation_error": e}] for e in each]
        for label, each in errors.items()
    }
    judged = {label: [{"error": e, "error_top5": 0.0} for e in x] for label, x in errors.items()}
    return jobs.Results(history, judged, {"seeds": [0, 1], "runs": {}})


def norms_of(nets, start, end):
    """Gradients of three convolutions, first : last as given, and a classifier's."""
    layers = {
        w: [{"norm": x} for x in (r, 1.0, 1.0, 5.0)] for w, r in (("start", start), ("end", end))
    }
    return {net: [layers, layers] for net in nets}


def degraded(errors, start=2.0, end=2.0):
    nets = [label for label in errors if "," not in label]
    return degrading.finding(results_of(errors), norms_of(nets, start, end), classes=10)


def test_degradation_is_said_where_every_seed_shows_it():
    errors = {"plain20": [0.2, 0.3], "plain44": [0.4, 0.5], "resnet20": [0.2, 0.2]}
    errors |= {"resnet44": [0.25, 0.25]}
    errors |= {
        f"{net}, 4 times the steps": e
        for net, e in (("plain20", [0.1] * 2), ("plain44", [0.3] * 2))
    }
    said = degraded(errors)
    assert said.startswith(
        "Degradation shows: in every seed plain44 has a higher training error than plain20, and a "
        "higher validation error. Depth changes the training error of plain nets by +20.0 points "
        "(from 25.0% to 45.0%, plain20 to plain44), of residual nets by +5.0 points"
    )
    assert "With 4 times the steps it still shows (2 seeds): 10.0% and 30.0%." in said
    errors["plain44"] = [0.4, 0.25]  # the second seed's plain20 is worse
    assert "does not show" in degraded(errors).partition(".")[0]
    assert "in 1 of 2 seeds" in degraded(errors)
    errors["plain44, 4 times the steps"] = [0.05, 0.3]
    assert "With 4 times the steps it does not show any more" in degraded(errors)


def test_a_net_at_chance_is_no_evidence():
    """Of ten classes chance is 90 %; two thirds of it are 60 %."""
    said = degraded({"plain20": [0.2, 0.3], "plain32": [0.3, 0.4], "plain56": [0.9, 0.61]})
    assert "in every seed plain32 has a higher training error than plain20" in said
    assert "plain56 hardly learned (error above 60%, chance is 90%)" in said
    only = degraded({"plain20": [0.2, 0.3], "plain56": [0.9, 0.9]})
    assert only.startswith("Degradation was not tested")
    rows = degradation.rows(results_of({"plain56": [0.9, 0.9]}), {}, 10, report)
    assert rows == [["plain56 (hardly learned)", "90.00 ± 0.00", "90.00 ± 0.00", "–", "–", "–"]]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (9.0, 0.2, "healthy norms show, so neither"),
        (100.0, 0.2, "do not show at the start, where gradients explode"),
        (100.0, 20.0, "they explode, which may be the reason"),
        (0.01, 1.0, "they vanish on the way to the input"),
    ],
)
def test_what_gradients_say(start, end, words):
    said = degraded({"plain20": [0.2, 0.3], "plain44": [0.4, 0.5]}, start, end)
    assert words in said
    assert f"{start:g} times its last's in the untrained net, {end:g} times" in said


def built(shallow, scratch, constructed=None):
    """Training errors by label, two seeds; held-out ones are the same."""
    errors = {"p8": shallow, "p14, constructed": constructed or shallow}
    errors |= {construction.row("p14", b): e for b, e in zip((1, 2, 4, 8), scratch, strict=True)}
    return {x: [{"train": e, "validation": e} for e in each] for x, each in errors.items()}


def test_the_construction_says_when_the_solver_catches_up():
    far = [[0.5, 0.5], [0.4, 0.4], [0.19, 0.21], [0.1, 0.2]]
    said = construction.finding(built([0.2, 0.2], far), "p8", "p14", 10)
    assert said.startswith(
        "The solution exists: p14 made of p8 and identity layers has exactly its errors; and the "
        "solver does not find it in the same number of steps"
    )
    assert "1x 50.0%, 2x 40.0%, 4x 20.0%, 8x 15.0%" in said
    assert "With 8 times the steps the solver finds one as good, in each of 2 seeds." in said
    one = construction.finding(built([0.2, 0.2], [*far[:3], [0.3]]), "p8", "p14", 10)
    assert "none as good in every seed (the last budget in the one seed tried)." in one
    never = construction.finding(built([0.1, 0.1], far), "p8", "p14", 10)
    assert "With up to 8 times the steps the solver finds none as good in every seed" in never
    late = [[0.7, 0.5], [0.4, 0.4], [0.3, 0.3], [0.2, 0.2]]
    said = construction.finding(built([0.2, 0.2], late), "p8", "p14", 10)
    assert "does not find it in 2 times the steps" in said and "At 1x p14 has hardly" in said
    at_once = [[0.2, 0.2]] * 4
    said = construction.finding(built([0.2, 0.2], at_once, [0.3, 0.3]), "p8", "p14", 10)
    assert "not exactly its errors; that the solver does not find it does not show." in said


def responded(start, end, ratio=None):
    """A run whose layers have such deviations; one residual block, if it has a ratio."""
    found = {}
    for when, std in (("start", start), ("end", end)):
        layers = [{"layer": f"conv2_block1_{i}", "std": std, "mean": 0.0} for i in (1, 2)]
        blocks = [{"block": "conv2_block1", "rms": 1.25 * std, "rms_x": 1.0, "ratio": ratio}]
        found[when] = {"layers": layers, "blocks": blocks if ratio else []}
    for row in found["end"]["blocks"]:
        row["error_without"] = 0.5
    return found | {"error": 0.4}


def test_responses_are_compared_with_those_before_training():
    ours = {"plain20": [responded(1.0, 1.0)], "resnet20": [responded(0.9, 0.95, 0.2)]}
    said = responding.finding(ours)
    assert said.startswith("That residual nets respond less than their plain twins does not show")
    assert "By training, responses stay near what they were untrained as the recipe trains." in said
    ours |= {"plain20, decay on all": [responded(1.0, 0.4)]}
    ours |= {"resnet20, decay on all": [responded(0.95, 0.1, 0.5)]}
    said = responding.finding(ours)
    assert said.startswith("That residual nets respond less than their plain twins shows, decay on")
    assert "become small with decay on all, and stay near" in said
    assert "resnet20 0.95 to 0.10" in said
    ours["resnet20, decay on all"] = [responded(0.3, 0.1, 0.5)]
    assert "does not show more than in the untrained nets" in responding.finding(ours)


def test_the_two_questions_are_answered_by_the_numbers():
    seeds = {"resnet20": [responded(0.9, 0.8, 0.2)], "resnet44": [responded(0.9, 0.8, 0.5)]}
    why_small, why_last = responding.answers({k: responding.mean_of(v) for k, v in seeds.items()})
    assert "over 2 blocks the size of F (root mean square) is at most 25% above" in why_small
    assert "in the 1 blocks with F / x below 0.3 this costs 10.0 points" in why_small
    assert "resnet20 1.00 untrained and 1.00 trained" in why_last


# -- pictures


def test_every_seed_is_a_point_and_chance_a_line():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    history = [[{"step": 5, "error": e, "validation_error": e / 2}] for e in (0.2, 0.4)]
    figures.curves(axes, {"plain8": history}, "title")
    hollow, full = axes.collections
    np.testing.assert_allclose(hollow.get_offsets(), [(5, 20), (5, 40)])
    np.testing.assert_allclose(full.get_offsets(), [(5, 10), (5, 20)])
    assert len(hollow.get_facecolors()) == 0 and len(full.get_facecolors()) == 1
    figures.chance(axes, 10)
    assert axes.get_lines()[-1].get_ydata()[0] == 90
    assert axes.texts[-1].get_text() == "chance, 90 %"


# -- end to end, on runs that were not trained


def untrained_run(job, asked):
    """In place of `jobs.finish`: a run directory as training leaves it, of the first weights."""
    run_dir = asked.runs_dir / job.name
    if (run_dir / "manifest.json").exists():
        return run_dir
    plain = zoo.find(job.model).plain
    recipe = dataclasses.replace(RECIPES["digits"], steps=10, round_steps=10)
    manifest = archive.Manifest(
        network=zoo.Network(
            name=job.model,
            num_classes=10,
            image_size=8,
            shortcut=None if plain else "A",
            mean="pixel",
        ),
        input=InputContract(8, 8),
        class_names=tuple("0123456789"),
        data={"name": "digits", "data_dir": None, "seed": 0}
        | {"train_images": 1442, "validation_images": 355},
        recipe=dataclasses.asdict(recipe)
        | {"model": job.model, "data": "digits", "precision": "float32"},
        seed=job.seed,
        step=10,
    )
    archive.save(randomised(zoo.build_network(manifest.network)), manifest, run_dir)
    record = {"step": 10, "error": 0.25, "validation_error": 0.5, "validation_error_top5": 0.0}
    (run_dir / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    return run_dir


@pytest.mark.exhaustive
def test_the_studies_from_end_to_end(tmp_path, monkeypatch):
    """Deeper and the same errors, and a state that training goes on from; whole reports."""
    monkeypatch.setattr(jobs, "finish", untrained_run)
    monkeypatch.setattr(construction, "BUDGETS", (1,))
    monkeypatch.setattr(construction, "OF_SHALLOW", {"demo": (1,)})
    monkeypatch.setattr(responses_study, "CONTROL", None)
    for name in ("BATCHES", "IMAGES"):
        monkeypatch.setattr(responding, name, 1)
    monkeypatch.setattr(states, "GRADIENT_BATCHES", 1)
    asked = options.Options(runs_dir=tmp_path / "runs", output_dir=tmp_path / "reports")
    construction.study(asked, "resnet8", "resnet14")
    found = json.loads((tmp_path / "reports" / "construction.json").read_text())
    measured = found["whole_images"]
    assert measured["resnet14, constructed"] == measured["resnet8"]
    (begun,) = (tmp_path / "runs").glob("*-from-resnet8")
    assert checkpoints.steps_saved(begun) == [0]
    degradation.study(dataclasses.replace(asked, nets=("resnet8", "plain8")), 0)
    found = json.loads((tmp_path / "reports" / "degradation.json").read_text())
    assert len(found["families"]["cifar"]["gradients"]["plain8"][0]["end"]) == 8
    assert found["finding"].startswith("Degradation was not tested")
    responses_study.study(dataclasses.replace(asked, nets=("resnet8",)))
    found = json.loads((tmp_path / "reports" / "responses.json").read_text())
    assert len(found["means"]["resnet8, decay 0.1 on all"]["end"]["blocks"]) == 3
    pictures = {"construction", "degradation", "responses", "responses_questions"}
    assert {p.stem for p in (tmp_path / "reports").glob("*.png")} == pictures
    text = (tmp_path / "reports" / "degradation.md").read_text()
    assert "| plain8 | 25.00 | 50.00 |" in text and "355" in text


def test_no_response_is_drawn_outside_its_panel():
    """A row's panels have one height: that of the largest, whichever column it is in."""
    from matplotlib.figure import Figure

    drawing = Figure()
    nets = {
        "resnet20": [responded(0.5, 1.0, 0.2)],
        "resnet20, decay on all": [responded(0.5, 0.1, 0.9)],
    }
    fig7.responses(drawing, nets)
    for axes in drawing.axes:
        low, high = axes.get_ylim()
        drawn = [y for line in axes.get_lines() for y in line.get_ydata()]
        assert low == 0 and drawn and max(drawn) <= high
