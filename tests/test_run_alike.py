"""Workers that do not mean the same run: each is refused in the same sentence, nothing is left."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from runs_on_digits import SHORT, both

from trainers.data import sources
from trainers.plan.images import Data
from trainers.run import alike
from zoo.preprocess import InputContract


def assert_refused(workers, *parts):
    """Both say the one sentence, which holds these parts."""
    chief, other = workers
    assert chief == other and chief[:2] == (1, ""), workers
    sentence = chief[2]
    assert sentence.count("\n") == 1 and len(sentence) <= 300
    assert sentence.startswith("trainers.classify: ")
    assert all(part in sentence for part in parts), sentence


@pytest.mark.slow
@pytest.mark.parametrize(
    "other, parts",
    [
        (
            ["--learning_rate=0.05", "--seed=3", "--mixup=0.2"],
            [
                "--seed is 0 on worker 0, 3 on worker 1",
                "--learning_rate is 0.1 on worker 0, 0.05 on worker 1",
                "1 more",
            ],
        ),
        (["--checkpoint_steps=7"], ["--checkpoint_steps is 1000 on worker 0, 7 on worker 1"]),
        (
            ["--model=resnet14", "--batch_size=33"],  # which two replicas cannot share
            [
                "--model is resnet8 on worker 0, resnet14 on worker 1",
                "--batch_size is 16 on worker 0, 33 on worker 1",
            ],
        ),
        (["--benchmark"], ["--benchmark is not given on worker 0, 20 steps on worker 1"]),
    ],
)
def test_other_flags_are_named(tmp_path, other, parts):
    assert_refused(both(tmp_path / "run", *SHORT, other=other), *parts)
    assert not (tmp_path / "run").exists()


def folder(root, colours):
    """Both splits of a folder of pictures, one a colour, two classes."""
    for split in sources.SPLITS:
        for number, colour in enumerate(colours):
            path = root / split / "ab"[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = tf.io.encode_png(np.full((8, 8 + number, 3), colour, np.uint8))
            path.write_bytes(picture.numpy())
    load = (sources.load("folder", split, data_dir=str(root)) for split in sources.SPLITS)
    return Data(*load, InputContract(8, 8))


@pytest.mark.slow
def test_a_run_directory_that_is_not_shared_is_no_start(tmp_path):
    folder(tmp_path / "photos", (1, 2, 3, 4))
    arguments = ["--data=folder", f"--data_dir={tmp_path / 'photos'}", "--image_size=8"]
    arguments += ["--recipe=digits", "--batch_size=4", "--steps=2", "--nopictures"]
    whole = both(tmp_path / "chief", *arguments)
    assert [code for code, *_ in whole] == [0, 0], whole
    before = (tmp_path / "chief" / "metrics.jsonl").stat()
    lonely = both(tmp_path / "chief", *arguments, other=[f"--run_dir={tmp_path / 'other'}"])
    assert_refused(lonely, "worker 0 begins at step 2, worker 1 at step 0", "--run_dir must be")
    assert (tmp_path / "chief" / "metrics.jsonl").stat() == before
    assert not (tmp_path / "other").exists()


class Run:
    init_from = None


def differing(*data):
    facts = [alike.images(Run, each) for each in data]
    return alike.differences(facts)


def test_the_same_images_elsewhere_are_the_same(tmp_path):
    assert differing(*(folder(tmp_path / name, (1, 2, 3)) for name in "ab")) == []


def test_what_differs_of_the_images_is_named(tmp_path):
    ours = folder(tmp_path / "ours", (1, 2, 3, 4))
    fewer = differing(ours, folder(tmp_path / "fewer", (1, 2, 3)))
    assert fewer[0] == "the number of train images"
    other = differing(ours, folder(tmp_path / "other", (1, 2, 3, 5)))
    assert other == ["the content of train images", "the content of validation images"]
    theirs = folder(tmp_path / "theirs", (1, 2, 3, 4))
    (tmp_path / "theirs" / "train" / "a" / "0.png").write_bytes(b"longer" * 100)
    about = [f"the {what} of train images" for what in ("content", "file sizes")]
    assert differing(ours, theirs) == about
    (tmp_path / "theirs" / "train" / "a" / "0.png").unlink()  # since it was listed
    assert "the file sizes of train images" in differing(ours, theirs)
    digits = Data(*(sources.load("digits", split) for split in sources.SPLITS), ours.input)
    assert "the classes of train images" in differing(ours, digits)


def test_other_code_is_named(tmp_path, monkeypatch):
    before = alike.code()
    assert {"keras", "tensorflow", "numpy", "python"} < {*before}
    for package in ("zoo", "trainers"):
        module = getattr(alike, package)
        shutil.copytree(module.__path__[0], tmp_path / package)
        monkeypatch.setattr(module, "__file__", str(tmp_path / package / "__init__.py"))
    assert alike.code() == before
    with open(tmp_path / "trainers" / "run" / "door.py", "a") as source:
        source.write("# another version\n")
    assert alike.differences([before, alike.code()]) == ["this project's code"]


def test_a_sentence_has_room_for_the_longest_values():
    long = "/a" * 2048
    facts = [
        {f"--{n}": alike.short(f"{long}{worker}") for n in ("warmup_learning_rate", "b", "c")}
        for worker in range(3)
    ]
    facts[1] = facts[0]  # worker 2 alone is another
    told = alike.sentence(facts, alike.differences(facts))
    assert len(f"trainers.classify: {told}") <= 300
    assert "on worker 2; 1 more; start the same command on all" in told
    assert facts[0]["--b"] != facts[2]["--b"]
    assert len(json.dumps(facts[0])) < 1000
