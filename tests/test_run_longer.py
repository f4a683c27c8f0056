"""A finished run that trains on, and how long a run will take."""

import json
import re

import pytest
import tensorflow as tf
from runs_on_digits import records

import trainers
from trainers.plan import flags as plan
from trainers.run import keywords, options
from trainers.watching.console import left

QUICK = dict(batch_size=16, round_steps=2, pictures=False)


def train(run_dir, **more):
    return trainers.train(run_dir=run_dir, **QUICK | dict(verbose=False) | more)


def test_a_finished_run_trains_on_by_the_schedule_of_all_steps(tmp_path, capsys):
    """As Keras' cosine of 8 steps says: 0.1 (1 + cos(pi k / 8)) / 2 after k of them."""
    train(tmp_path, steps=4)
    before = records(tmp_path)
    assert train(tmp_path, steps=8, verbose=True).step == 8
    printed = capsys.readouterr().out
    assert "resuming at step 4" in printed
    assert "NOTE: trained for 4 steps before, now for 8: " in printed
    after = records(tmp_path)
    assert after[:2] == before and [r["step"] for r in after] == [2, 4, 6, 8]
    cosine = tf.keras.optimizers.schedules.CosineDecay(0.1, 8)
    assert after[2]["learning_rate"] == pytest.approx(float(cosine(6)))
    assert "--steps=8\n" in (tmp_path / "flags.txt").read_text()
    assert train(tmp_path, steps=8).step == 8
    with pytest.raises(ValueError, match="--steps differ"):
        train(tmp_path, steps=4)
    with pytest.raises(ValueError, match="--steps, --learning_rate differ"):
        train(tmp_path, steps=12, learning_rate=0.2)


def test_epochs_say_longer_too_and_shorter_is_a_sentence(tmp_path):
    """1,442 digits at 721 a step: two steps an epoch."""
    given = dict(batch_size=721, round_steps=1)
    train(tmp_path, epochs=1, **given)
    assert train(tmp_path, epochs=2, **given).step == 4
    with pytest.raises(ValueError, match="trained for 4 steps: expected more"):
        train(tmp_path, epochs=1, **given)


def test_a_run_that_has_not_come_to_its_end_keeps_its_steps(tmp_path, monkeypatch):
    """Its schedule is half done: another end would be another run."""
    train(tmp_path, steps=2)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(re.sub(r'"steps": 2,', '"steps": 4,', manifest.read_text()))
    with pytest.raises(ValueError, match="--steps differ"):
        train(tmp_path, steps=8)


@pytest.mark.parametrize(
    "given, expected",
    [
        (dict(model="resnet20"), "pad_crop"),
        (dict(model="resnet20", augmentation="scale_jitter"), "scale_jitter"),
        (dict(model="resnet50"), "scale_jitter"),
    ],
)
def test_a_cifar_net_is_tuned_on_whole_pictures(tmp_path, given, expected):
    network = {"name": given["model"], "shortcut": "B", "stride": "1x1", "mean": "channel"}
    (tmp_path / "manifest.json").write_text(json.dumps({"network": network}))
    given = given | dict(init_from=str(tmp_path), data_dir="x")
    asked = plan.run(keywords.parse("test", (plan.define, options.define), given))
    assert (asked.recipe.name, asked.recipe.augmentation) == ("finetune", expected)


def test_the_time_left_is_that_of_what_was_done():
    """90 of 100 steps took 9 minutes: the last ten take one. Of the first call nothing is known."""
    assert left((5.0, 0), (5.0, 0), 100) == ""
    assert left((5.0, 0), (545.0, 90), 100) == " - 1:00 left"
    assert left((0.0, 100), (1.0, 101), 7300) == " - 1:59:59 left"
