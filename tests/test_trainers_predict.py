"""python -m trainers.predict, as a user runs it, and its answers beside evaluation's."""

import csv
import json
import os

import numpy as np
import programs
import pytest
import tensorflow as tf
from export_networks import NAMES, save_run

from trainers.data import sources
from trainers.data.sources import folder
from trainers.judging import pictures, scores
from zoo import archive
from zoo.preprocess import InputContract

PICTURES = 7  # with --batch_size=3 the last batch is not full


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    return save_run(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Held-out digits, each twice as wide as the network's input and wider than high."""
    root = tmp_path_factory.mktemp("photos")
    source = sources.load("digits", "validation")
    images, labels = source.fetch(np.arange(PICTURES))
    wide = tf.image.resize_with_crop_or_pad(tf.repeat(tf.repeat(images, 2, 1), 2, 2), 16, 22)
    for i, image in enumerate(wide):
        path = root / ("deep/er" if i % 2 else "") / f"{i}-is-{labels[i]}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tf.io.encode_png(image).numpy())
    (root / "notes.txt").write_text("no picture, and not named like one")
    return root


def predict(*arguments):
    return programs.run("trainers.predict", *arguments)


def label_of(path):
    return os.path.basename(path).split("-is-")[1].removesuffix(".png")


def claiming(width, height):
    """A PNG whose header claims a size: the file is of one pixel."""
    content = bytearray(tf.io.encode_png(np.zeros((1, 1, 3), np.uint8)).numpy())
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("width", "height", "sentence"),
    [
        (20_000, 20_000, "expected at most 67,108,864 pixels, got 20000x20000"),
        (1, 5000, "67,108,864 pixels, also with the shorter side at 256, got 1x5000"),
    ],
)
def test_a_picture_that_claims_too_much_gets_a_sentence_of_its_own(
    width, height, sentence, tmp_path
):
    (tmp_path / "a.png").write_bytes(claiming(width, height))
    with pytest.raises(pictures.PictureError, match=sentence):
        pictures.read(str(tmp_path / "a.png"), InputContract(224, 256))


def test_each_picture_gets_its_class(run_dir, photos):
    result = predict(f"--run_dir={run_dir}", "--batch_size=3", "--json", photos)
    assert result.returncode == 0 and result.stderr == ""
    answers = json.loads(result.stdout)
    assert [a["file"] for a in answers] == sorted(map(str, photos.rglob("*.png")))
    for answer in answers:
        probabilities = [guess["probability"] for guess in answer["top"]]
        assert len(probabilities) == 5 and probabilities == sorted(probabilities, reverse=True)
        assert 0.5 < sum(probabilities) <= 1 + 1e-6
    # The network is right on about 97 % of these images: at most one of seven is wrong.
    right = [a["top"][0]["class"] == label_of(a["file"]) for a in answers]
    assert sum(right) >= PICTURES - 1


def test_answers_are_evaluations(run_dir, photos):
    """The same files through evaluation's pipeline: the same preparation, so the same numbers."""
    model, manifest = archive.load(run_dir)
    paths = sorted(map(str, photos.rglob("*.png")))
    source = folder.source("folder", "validation", NAMES, paths, [0] * len(paths))
    expected = scores.of_network(
        model, manifest, source, scores.Look(), tf.distribute.get_strategy()
    )
    ours = list(pictures.guess(model, manifest, [photos], top=10, batch_size=3))
    for guess, row in zip(ours, expected.probabilities, strict=True):
        found = dict(guess.top)
        np.testing.assert_allclose([found[name] for name in NAMES], row, atol=1e-6)


def test_a_file_that_is_no_picture_gets_its_sentence_and_the_others_go_on(
    run_dir, photos, tmp_path
):
    good = sorted(photos.glob("*.png"))[:2]
    cut = tmp_path / "cut.png"
    cut.write_bytes(good[0].read_bytes()[:60])
    empty = tmp_path / "empty"
    empty.mkdir()
    bad = [photos / "notes.txt", cut, tmp_path / "missing.jpg", empty]
    result = predict(f"--run_dir={run_dir}", good[0], *bad, good[1])
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == [str(path) for path in bad]
    assert "no picture that can be read" in lines[0] and "no picture" in lines[1]
    assert "no such file" in lines[2] and "found none" in lines[3]
    for path in good:
        assert str(path) in result.stdout.splitlines()

    listed = predict(f"--run_dir={run_dir}", "--json", good[0], *bad, good[1])
    assert (listed.returncode, listed.stderr) == (1, result.stderr)

    guesses = pictures.guess(*archive.load(run_dir), [good[0], *bad, good[1]])
    fields = [pictures.as_fields(guess) for guess in guesses]
    assert ["error" in f for f in fields] == [False, True, True, True, True, False]
    assert ["top" in f for f in fields] == [True, False, False, False, False, True]


def test_a_table_has_a_row_a_picture(run_dir, photos, tmp_path):
    """Read back by the csv module: names with commas and quotes, and what could not be read."""
    odd = tmp_path / 'a, "b"\n.png'
    odd.write_bytes(sorted(photos.glob("*.png"))[0].read_bytes())
    bad = tmp_path / "é, none.jpg"
    table = tmp_path / "table.csv"
    result = predict(f"--run_dir={run_dir}", "--top=3", f"--csv={table}", photos, bad, odd)
    assert result.returncode == 1 and result.stderr == f"{bad}: no such file\n"
    assert result.stdout == f"written: {table}: {PICTURES + 1} pictures, 1 that could not be read\n"
    with open(table, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == (
        "file,class,probability,class_2,probability_2,class_3,probability_3,error"
    )
    assert rows[-2] == [str(bad), *[""] * 6, "no such file"] and rows[-1][0] == str(odd)
    guesses = list(pictures.guess(*archive.load(run_dir), [photos, odd], top=3))
    for row, guess in zip(rows[:-2] + rows[-1:], guesses, strict=True):
        assert row[0] == guess.file and row[-1] == ""
        assert tuple(row[1:-1:2]) == tuple(name for name, _ in guess.top)
        found = np.array([float(value) for value in row[2:-1:2]])
        np.testing.assert_allclose(found, [p for _, p in guess.top], atol=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([odd.name, table.name])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--csv=nowhere/t.csv"], "--csv: expected a file in a folder that is there"),
        (["--csv=."], "--csv: expected a file in a folder that is there, got ."),
        (["--csv=t.csv", "--json"], "leave one out"),
    ],
)
def test_a_table_that_cannot_be_written_is_refused_first(words, sentence):
    result = predict("--run_dir=nowhere", "a.png", *words)
    assert result.returncode == 2 and sentence in result.stderr


def test_bars_are_as_long_as_probabilities():
    guess = pictures.Guess("a.jpg", (("tabby cat", 0.75), ("owl", 0.2), ("dog", 0.001)))
    assert pictures.as_text(guess, width=20).splitlines() == [
        "a.jpg",
        "  tabby cat   75.00%  " + 15 * "█",
        "  owl         20.00%  " + 4 * "█",
        "  dog          0.10%",
    ]


def test_without_a_picture_it_is_misused(run_dir):
    result = predict(f"--run_dir={run_dir}")
    assert result.returncode == 2 and result.stderr.count("\n") == 1
