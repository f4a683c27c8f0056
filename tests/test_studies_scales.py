"""What studies train at which scale, how that is said, and what is compared with what."""

import subprocess
import sys

import pytest

from trainers.judging.paired import Difference
from trainers.studies import convergence, depth, jobs, options, scales, shortcuts

PAPER = options.Options(scale="paper", seeds=(0,))
BETTER, SAME = Difference(0.02, 0.01, 0.03, (0.001,)), Difference(0.01, -0.01, 0.02, (0.5,))


def test_a_net_is_trained_on_the_data_that_it_belongs_to():
    """Table 1's nets on ImageNet, Sec. 4.2's on CIFAR-10, 110 layers and more with a warm-up."""
    recipes = {
        net: scales.base(net, PAPER)["recipe"] for net in ("plain34", "resnet56", "resnet110")
    }
    assert recipes == {"plain34": "imagenet", "resnet56": "cifar10", "resnet110": "cifar10_warmup"}
    asked = options.Options(scale="paper", nets=("resnet20", "plain50"))
    rows = {label: dict(settings)["data"] for label, _, settings in shortcuts.choices(asked)}
    assert rows == {
        **{f"resnet20 {option}": "cifar10" for option in "ABC"},
        "plain50": "imagenet2012",
    }
    labels = [label for label, *_ in shortcuts.choices(PAPER)]
    assert set(labels) == {*shortcuts.PAPER, "plain50"}
    families = scales.families(["resnet20 B", "plain18", "resnet44, 0.1 at once"])
    assert families == {"cifar": ["resnet20 B", "resnet44, 0.1 at once"], "imagenet": ["plain18"]}


def test_the_demo_takes_fashion_mnist_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert scales.demo() == jobs.DEMO
    with pytest.raises(jobs.StudyError, match="expected Fashion-MNIST in .*found none: prepare it"):
        scales.demo(str(tmp_path))
    place = tmp_path / "fashion_mnist" / "3.0.1"
    place.mkdir(parents=True)
    (place / "dataset_info.json").touch()
    assert scales.demo() == scales.demo(str(tmp_path)) == scales.FASHION
    assert "Fashion-MNIST" in scales.caveat(options.Options(), ["resnet20"])


@pytest.mark.parametrize(
    ("steps", "nets", "full"),
    [
        (None, ["resnet20"], True),
        (64_000, ["resnet20"], True),
        (600_000, ["plain18"], True),
        (64_000, ["plain18"], False),
        (64_000, ["resnet20", "plain18"], False),
        (16_000, ["resnet20"], False),
    ],
)
def test_full_scale_is_the_recipes_steps(steps, nets, full):
    """64,000 on CIFAR-10, 600,000 on ImageNet (Sec. 4.2, 3.4)."""
    said = scales.caveat(options.Options(scale="paper", steps=steps, precision="float32"), nets)
    assert said.startswith("Full scale: the paper's data and recipe." if full else "Not full scale")
    assert "--precision=float32" in said


def test_the_engine_of_a_study_is_its_runs():
    asked = options.Options(precision="mixed_bfloat16", accumulate=8, xla=True)
    settings = dict(jobs.settings(jobs.CIFAR, asked))
    engine = {"precision": "mixed_bfloat16", "accumulate": "8", "xla": "true"}
    assert settings == {**jobs.CIFAR, **engine}
    plain = dict(jobs.settings(jobs.CIFAR, options.Options()))
    assert plain == jobs.CIFAR  # so runs keep their names


def test_jobs_are_commands_and_nothing_is_trained(tmp_path):
    words = ["--jobs", "--seeds=0,1", "--nets=resnet20", "--scale=paper", "--accumulate=2"]
    command = [sys.executable, "-m", "trainers.studies.depth", *words]
    command.append(f"--runs_dir={tmp_path}/runs")
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 2 and not list(tmp_path.iterdir())
    for seed, line in enumerate(lines):
        expected = f"python -m trainers.classify --model=resnet20 --seed={seed} --data=cifar10 "
        assert line.startswith(
            f"{expected}--recipe=cifar10 --accumulate=2 --run_dir={tmp_path}/runs/"
        )


def test_runs_that_start_elsewhere_are_not_listed_before_they_are_begun(tmp_path, capsys):
    asked = options.Options(runs_dir=tmp_path)
    job = jobs.Job("plain20", 0, jobs.settings(jobs.DEMO, asked), "-from-plain8")
    for begun in (False, True):
        with pytest.raises(SystemExit):
            jobs.list_jobs({"a": [job], "b": [job]}, asked)
        assert len(capsys.readouterr().out.splitlines()) == int(begun)
        (tmp_path / job.name).mkdir(exist_ok=True)


def test_what_depth_shows_is_said_first():
    history = [[{"step": 600, "error": 0.3}]]
    nets = {"resnet8": 0.3, "resnet20": 0.2, "resnet44": 0.1}
    judged = {net: [{"error": error}] for net, error in nets.items()}
    results = jobs.Results(dict.fromkeys(nets, history), judged, {})
    steps = [("resnet8", "resnet20"), ("resnet20", "resnet44")]
    falls = depth.finding(list(nets), dict.fromkeys(steps, BETTER), results)
    assert falls.startswith(
        "That the error of residual nets falls with depth shows after 600 steps: "
        "resnet8 less resnet20 +2.00 points (+1.00 to +3.00); resnet20 less resnet44"
    )
    for other in (SAME, -BETTER):
        said = depth.finding(list(nets), dict(zip(steps, (BETTER, other))), results)
        assert said.startswith("That the error of residual nets falls with depth does not show")
    # 1202 layers are not part of the claim: the paper's own are worse than 110 (Table 6).
    deepest = {("resnet56", "resnet110"): BETTER, ("resnet110", "resnet1202"): -BETTER}
    judged |= {net: [{"error": 0.1}] for net in ("resnet56", "resnet110", "resnet1202")}
    last = jobs.Results(dict.fromkeys(judged, history), judged, {})
    said = depth.finding(["resnet56", "resnet110", "resnet1202"], deepest, last)
    assert "falls with depth shows" in said


def test_the_warm_up_is_about_the_start():
    slow = [{"step": s, "error": e} for s, e in ((120, 0.9), (240, 0.85), (360, 0.5))]
    fast = [{"step": s, "error": e} for s, e in ((120, 0.79), (240, 0.4), (360, 0.3))]
    assert depth.started(slow) == 360 and depth.started(fast) == 120
    assert depth.started(slow[:2]) is None
    labels = ("resnet44, 0.1 at once", "resnet44, 0.01 first")
    results = jobs.Results(dict(zip(labels, ([slow], [fast]))), {}, {})
    said = depth.warmup_finding((labels, SAME), results)
    assert "starts later shows with resnet44; in the end a difference is not told from" in said
    results = jobs.Results(dict(zip(labels, ([fast], [fast]))), {}, {})
    said = depth.warmup_finding((labels, BETTER), results)
    assert "starts later does not show" in said and "the warm-up has the lower error" in said


def test_who_is_compared_in_table_3():
    labels = ["plain20", "resnet20 A", "resnet20 B", "resnet20 C"]
    assert list(shortcuts.pairs(labels)) == [
        *(("plain20", f"resnet20 {option}") for option in "ABC"),
        ("resnet20 A", "resnet20 B"),
        ("resnet20 A", "resnet20 C"),
        ("resnet20 B", "resnet20 C"),
    ]
    gains = {pair: BETTER if "plain" in pair[0] else SAME for pair in shortcuts.pairs(labels)}
    errors = dict(zip(labels, ([0.3, 0.4], [0.2], [0.22], [0.21])))
    said = shortcuts.finding(errors, gains)
    assert said.startswith(
        "That nets with shortcuts are better than the plain net of their depth shows"
    )
    assert "The options are not shown to differ; the paper's order is C, B, A." in said
    assert said.endswith("resnet20 A 20.0%, resnet20 C 21.0%, resnet20 B 22.0%, plain20 35.0%.")
    gains["plain20", "resnet20 C"] = SAME
    assert "depth does not show" in shortcuts.finding(errors, gains)


def test_learning_faster_is_a_lead_beyond_chance_in_every_seed():
    """Means of the early rounds, 200 steps of 50 images: 85 and 75 % wrong, noise 1.1 points.

    1.96 sqrt((0.85 0.15 + 0.75 0.25) / 10,000) = 0.0110.
    """

    def histories(*errors):
        return [[{"step": 100 * i, "error": e} for i, e in enumerate(each, 1)] for each in errors]

    recipe = {"drops": [0.5, 0.75], "steps": 400, "batch_size": 50}
    both = {
        "plain18": histories((0.9, 0.8, 0.3, 0.2), (0.9, 0.8, 0.3, 0.2)),
        "resnet18": histories((0.8, 0.7, 0.4, 0.3), (0.8, 0.7, 0.4, 0.3)),
    }
    early = convergence.early_errors(both, recipe)
    assert list(early.rounds) == [100, 200] and early.images == 10_000
    said = convergence.finding(early, ("plain18", "resnet18"), SAME)
    assert said.startswith("That the residual net learns faster shows: in the first 200 steps")
    assert "lower by +10.00, +10.00 points, seed by seed, where chance alone makes 1.10." in said
    assert "comparably accurate" in said
    both["resnet18"][1][0]["error"] = both["resnet18"][1][1]["error"] = 0.842
    early = convergence.early_errors(both, recipe)
    said = convergence.finding(early, ("plain18", "resnet18"), BETTER)
    assert "faster does not show" in said and "+0.80 points" in said
    assert "resnet18 is better, plain18 less resnet18 +2.00" in said
    steep = convergence.early_errors(both, recipe | {"drops": [0.2]})
    assert list(steep.rounds) == [100]  # one round at least
