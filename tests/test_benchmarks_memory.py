"""Memory beside the peers': who is asked, what is kept, and that evaluating does its work."""

import json
import subprocess

import numpy as np

from benchmarks import harness
from benchmarks.memory import collect, work


def test_contenders_are_told_in_order_and_a_broken_one_is_named(monkeypatch, capsys):
    def alone(module, name, settings):
        assert (module, settings) == ("module", {"model": "resnet20"})
        if name == "broken":
            raise subprocess.CalledProcessError(1, name, stderr="out of memory")
        return {"megabytes_at_most": 100.4 * len(name), "threads": 2, "processors": 1.5}

    monkeypatch.setattr(harness, "alone", alone)
    tasks = {"evaluation": ["ccc", "broken", "a"], "export": ["bb"]}
    found = collect.measured("module", tasks, "resnet20")
    assert found["evaluation"].figures == {
        "ccc": [{"megabytes_at_most": 301, "threads": 2}],
        "a": [{"megabytes_at_most": 100, "threads": 2}],
    }
    assert list(found["evaluation"].figures) == ["ccc", "a"]
    assert found["evaluation"].failed == {"broken": "out of memory"}
    assert found["export"].figures == {"bb": [{"megabytes_at_most": 201, "threads": 2}]}
    assert "evaluation: broken out of memory" in capsys.readouterr().out


def test_what_training_and_serving_took_is_read(tmp_path):
    told = {"megabytes_at_most": 900.6, "threads": 2, "seconds_a_step": 1.0}
    figures = {"resnet50": {"ours": [told, told], "torch": [told], "old": [{"threads": 2}]}}
    path = tmp_path / "train_step.json"
    assert collect.before(path, "resnet50", None) == harness.Found({}, {})
    path.write_text(json.dumps({"figures": figures}))
    kept = {"megabytes_at_most": 901, "threads": 2}
    everyone = collect.before(path, "resnet50", None)
    assert everyone.figures == {"ours": [kept, kept], "torch": [kept]}
    assert collect.before(path, "resnet50", ("torch",)).figures == {"torch": [kept]}


def test_evaluation_sees_every_image(monkeypatch):
    """Twelve in batches of four, by a count of the pipeline's weights."""
    from trainers.data import pipelines

    monkeypatch.setattr(work, "BATCHES", 3)
    monkeypatch.setattr(work, "BATCH", 4)
    made, asked = pipelines.evaluate, []

    def counted(*words, **settings):
        batches = made(*words, **settings)
        asked.append(sum(float(np.sum(weights)) for _, _, weights, _ in batches))
        return batches

    monkeypatch.setattr(pipelines, "evaluate", counted)
    assert work.evaluate_ours("resnet8") == {} and asked == [12]
