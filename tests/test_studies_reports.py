"""The studies: responses by hand, runs that are shared, sentences that say what was measured."""

import contextlib
import json
import math
import threading
import time
import types

import numpy as np
import programs
import pytest
from export_networks import randomised
from keras.ops import convert_to_numpy as convert

import zoo
from trainers.studies import (
    costs,
    degradation,
    figures,
    index,
    jobs,
    options,
    report,
    scales,
    shortcuts,
)
from trainers.watching import responses

ASKED = options.Options(seeds=(0, 1))


def test_a_layers_response_by_hand():
    """conv1 copies red - 127.5 of 100 and 200; normalised: (v - 10) * 2 / 100 + 3."""
    model = zoo.build("plain8", image_size=8)
    kernel = np.zeros((3, 3, 3, 16), np.float32)
    kernel[1, 1, 0] = 1
    model.get_layer("conv1_conv").kernel.assign(kernel)
    n = np.ones(16)
    weights = [2 * n, 3 * n, 10 * n, (100**2 - 1e-5) * n]  # gamma, beta, mean, variance
    model.get_layer("conv1_bn").set_weights(weights)
    images = np.full((6, 8, 8, 3), 100.0, np.float32)
    images[3:, ..., 0] = 200
    layers, blocks = responses.measure(model, [images[:4], images[4:]])  # the second is shorter
    assert layers[0]["layer"] == "conv1" and blocks == []
    assert layers[0]["std"] == pytest.approx(50 * 2 / 100)  # red is -27.5 or 72.5
    assert layers[0]["mean"] == pytest.approx((22.5 - 10) * 2 / 100 + 3)
    assert layers[0]["std_of_parameters"] == pytest.approx(2)  # every channel has gamma 2, beta 3


def test_responses_are_after_normalisation_and_before_relu_and_sum():
    model = randomised(zoo.build("resnet8", image_size=8))
    rng = np.random.default_rng(0)
    images = np.float32(rng.integers(0, 256, (10, 8, 8, 3)))
    layers, blocks = responses.measure(model, [images[:7], images[7:]])
    names = ["conv1_relu", "conv2_block1_2_bn", "conv2_block1_out", "conv3_block1_1_bn"]
    inner = {k: np.float64(convert(v)) for k, v in zoo.features(model, names)(images).items()}
    found = {row["layer"]: row for row in layers}
    for name in ("conv2_block1_2", "conv3_block1_1"):
        assert found[name]["std"] == pytest.approx(inner[f"{name}_bn"].std(), rel=1e-5)
        assert inner[f"{name}_bn"].min() < -0.1  # a ReLU came not before
    x, residual = inner["conv1_relu"], inner["conv2_block1_2_bn"]
    np.testing.assert_allclose(np.maximum(x + residual, 0), inner["conv2_block1_out"], atol=1e-3)
    expected = math.sqrt((residual**2).mean() / (x**2).mean())
    assert blocks[0]["block"] == "conv2_block1"
    assert blocks[0]["ratio"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("name", "count"), [("resnet20", 19), ("resnet50", 16), ("plain18", 16)])
def test_every_3x3_layer_and_no_other_responds(name, count):
    """Fig. 7 has 19 for 20 layers; a bottleneck has one; conv1 of ImageNet's nets is a 7x7."""
    norms = responses.responding(zoo.build(name, image_size=32))
    assert len(norms) == count
    assert all(norm.name.endswith("_bn") for norm in norms)


def test_mean_and_deviation_by_hand():
    assert report.percent([0.1, 0.2, 0.3]) == "20.00 ± 10.00"  # of n - 1
    assert report.percent([0.125]) == "12.50"
    assert report.best_percent([0.1, 0.2, 0.3]) == "10.00 (20.00 ± 10.00)"
    assert report.table(["a", "b"], [[1, None]]) == "| a | b |\n| --- | --- |\n| 1 |  |"


def test_studies_share_their_runs():
    """The same net, seed and flags are one directory, whichever study asks."""
    a = jobs.Job("resnet20", 0, jobs.settings(scales.base("resnet20", ASKED), ASKED))
    (d,) = [jobs.Job(net, 0, s) for label, net, s in shortcuts.choices(ASKED) if label[-1] == "A"]
    assert a.name == d.name
    others = [
        jobs.Job("resnet20", 1, a.settings),
        jobs.Job("resnet32", 0, a.settings),
        jobs.Job("resnet20", 0, jobs.settings(jobs.DEMO, ASKED, shortcut="B")),
        jobs.Job("resnet20", 0, a.settings, "-from-resnet8"),
    ]
    assert len({job.name for job in (a, *others)}) == 5


def test_papers_settings_at_full_scale():
    asked = options.Options(scale="paper")
    assert dict(degradation.settings("resnet34", asked)) == {
        "data": "imagenet2012",
        "recipe": "imagenet",
        "shortcut": "A",
    }
    assert dict(degradation.settings("plain56", asked))["recipe"] == "cifar10"
    fewer = dict(jobs.settings(jobs.CIFAR, options.Options(steps=100)))
    assert fewer["steps"] == "100" and fewer["round_steps"] == "10"


def finished_run(run_dir, errors):
    saved = run_dir / "checkpoints" / f"ckpt-{10 * len(errors)}.index"
    saved.parent.mkdir(parents=True)
    saved.touch()
    records = [
        {"step": 10 * i, "error": e, "validation_error": e / 2, "validation_error_top5": 0.0}
        for i, e in enumerate(errors, start=1)
    ]
    (run_dir / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    manifest = {"step": 10 * len(errors), "recipe": {"steps": 10 * len(errors)}}
    (run_dir / "manifest.json").write_text(json.dumps(manifest))


def test_a_finished_run_is_read_and_not_started(tmp_path, monkeypatch):
    asked = options.Options(runs_dir=tmp_path)
    job = jobs.Job("resnet8", 3, jobs.settings(jobs.DEMO, asked))
    finished_run(tmp_path / job.name, [0.5, 0.25])
    monkeypatch.setattr(jobs.subprocess, "run", lambda *_: pytest.fail("it was started"))
    results = jobs.train({"resnet8": [job]}, asked)
    assert results.training("resnet8") == [0.25] and results.validation("resnet8") == [0.125]
    assert results.origin == {"seeds": [3], "runs": {job.name: 0}}


def test_a_run_that_fails_is_one_sentence(tmp_path):
    asked = options.Options(runs_dir=tmp_path, data_dir=str(tmp_path / "nowhere"))
    job = jobs.Job("resnet8", 0, jobs.settings({**jobs.DEMO, "data": "folder"}, asked))
    with pytest.raises(jobs.StudyError, match="not trained to its end; the same command resumes"):
        jobs.finish(job, asked)


def together(tmp_path, monkeypatch, program):
    """Trains seeds 0 to 3, two at a time; `program(seed)` in a run's place -> its exit code."""
    asked = options.Options(runs_dir=tmp_path, parallel=2)
    todo = [jobs.Job("resnet8", n, jobs.settings(jobs.DEMO, asked)) for n in range(4)]
    begun = []

    def run(command, stdout, stderr):
        (seed,) = (int(x.removeprefix("--seed=")) for x in command if x.startswith("--seed="))
        begun.append(seed)
        stdout.write(b"of seed %d" % seed)
        failed = program(seed)
        if not failed:
            finished_run(tmp_path / todo[seed].name, [0.5, 0.1 * seed])
        return types.SimpleNamespace(returncode=failed)

    monkeypatch.setattr(jobs.subprocess, "run", run)
    return (lambda: jobs.train({"resnet8": todo}, asked)), begun, todo


def test_runs_train_side_by_side(tmp_path, monkeypatch):
    """Each waits until another is there, or ends in BrokenBarrierError; logs lie beside them."""
    pair = threading.Barrier(2, timeout=20)
    train, begun, todo = together(tmp_path, monkeypatch, lambda seed: 0 * pair.wait())
    assert train().training("resnet8") == pytest.approx([0, 0.1, 0.2, 0.3])
    assert sorted(begun) == [0, 1, 2, 3]
    assert (tmp_path / f"{todo[3].name}.log").read_text() == "of seed 3"


def test_when_one_of_them_fails_no_other_begins(tmp_path, monkeypatch):
    failed = threading.Event()

    def program(seed):
        if seed == 0:
            failed.set()
            return 1
        return 0 if failed.wait(20) and not time.sleep(0.2) else 1

    train, begun, todo = together(tmp_path, monkeypatch, program)
    with pytest.raises(jobs.StudyError, match=r"seed0.*\.log says why\); the same command resumes"):
        train()
    assert 3 not in begun


@pytest.mark.parametrize(("parallel", "order"), [(1, "abc"), (2, "bac")])
def test_of_runs_side_by_side_the_longest_begin(monkeypatch, parallel, order):
    """8 layers of 100 steps, 20 of 60, 44 of 10; one at a time they keep their order."""
    begun = []
    monkeypatch.setattr(jobs, "finish", lambda job, options: begun.append(job.seed))
    monkeypatch.setattr(jobs.concurrent.futures, "ThreadPoolExecutor", InTurn)
    nets = {"a": ("resnet8", 100), "b": ("resnet20", 60), "c": ("resnet44", 10)}
    named = {k: jobs.Job(net, k, (("steps", str(n)),)) for k, (net, n) in nets.items()}
    jobs.finish_together(named, options.Options(parallel=parallel))
    assert "".join(begun) == order


class InTurn(contextlib.AbstractContextManager):
    """In an executor's place: whatever it is given, at once."""

    def __init__(self, workers):
        pass

    def __exit__(self, *raised):
        pass

    def map(self, function, things):
        return [function(thing) for thing in things]


def results_of(errors):
    """{label: final errors, one a seed} as Results; validation errors are the same."""
    history = {
        label: [[{"step": 1, "error": e, "validation_error": e}] for e in each]
        for label, each in errors.items()
    }
    judged = {
        label: [{"error": e, "error_top5": 0.0} for e in each] for label, each in errors.items()
    }
    return jobs.Results(history, judged, {})


def test_training_cost_by_hand():
    """resnet20: 6 x 40.55e6 multiply-adds x 64,000 x 128 images = 1.99e15, at 1e12 a second."""
    row = costs.with_cost({"image_size": 32, "multiply_adds": 40_550_000})
    assert row["training_flops"] == pytest.approx(1.993e15, rel=1e-3)
    assert row["gpu_hours"] == pytest.approx(0.5536, rel=1e-3)
    row = costs.with_cost({"image_size": 224, "multiply_adds": 3.8e9})
    assert row["training_flops"] == pytest.approx(6 * 3.8e9 * 600_000 * 256)


def test_runs_that_studies_share_are_timed_once():
    one, other = {"origin": {"runs": {"a": 1, "b": 2}}}, {"origin": {"runs": {"b": 2, "c": 4}}}
    assert index.reports_seconds({"x": one, "y": other, "z": {}}) == {"a": 1, "b": 2, "c": 4}


def test_curves_are_training_dashed_and_validation_solid():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    histories = [
        [{"step": s, "error": 0.2 + e, "validation_error": 0.1} for s in (5, 10)] for e in (0, 0.2)
    ]
    figures.curves(axes, {"resnet8": histories}, "title")
    dashed, solid = axes.get_lines()
    assert (dashed.get_linestyle(), solid.get_linestyle()) == ("--", "-")
    assert dashed.get_color() == solid.get_color()
    np.testing.assert_allclose(dashed.get_xdata(), [5, 10])
    np.testing.assert_allclose(dashed.get_ydata(), [30, 30])  # the mean of two seeds, in percent
    np.testing.assert_allclose(solid.get_ydata(), [10, 10])


def study(name, *arguments):
    return programs.run(f"trainers.studies.{name}", *arguments, timeout=500)


def test_table1_as_a_user_runs_it(tmp_path):
    result = study("table1", "--nets=resnet20,plain18", f"--output_dir={tmp_path}")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    text = (tmp_path / "table1.md").read_text()
    assert "| resnet20 | 20 | 269,722 | 0.27M |" in text  # Table 6
    assert "| 1.795e9 | 1.8e9 |" in text  # Table 1
    assert "--output_dir" not in text and str(tmp_path) not in text
    assert {p.name for p in tmp_path.iterdir()} == {"table1.md", "table1.json", "table1.png"}


@pytest.mark.parametrize(
    ("name", "argument", "sentence"),
    [
        ("degradation", "--seeds=a", "seeds: expected a whole number from 0 to "),
        ("construction", "--nets=plain8", "expected two, a shallow one and a deeper one"),
        ("responses", "--run_dir=/nowhere", "/nowhere holds no trained network"),
    ],
)
def test_what_cannot_be_studied_is_one_sentence(name, argument, sentence):
    result = study(name, argument)
    assert result.returncode in (1, 2)
    assert sentence in result.stderr and len(result.stderr.splitlines()) == 1
