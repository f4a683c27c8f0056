"""python -m trainers.features: the vectors, their files, TensorBoard's view of them, the scores."""

import json
import re
import subprocess
import urllib.parse
import urllib.request

import numpy as np
import programs
import pytest
import tensorflow as tf
from export_networks import program, save_run, trained_on_digits
from keras.ops import convert_to_numpy as convert

from trainers.data import sources
from trainers.judging import embeddings, probes, projector

HELD_OUT = 355  # digits' validation images, see trainers/data/sources/digits.py


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the program writes of digits' pooled features."""
    run_dir = save_run(tmp_path_factory.mktemp("runs") / "digits")
    result = programs.run("trainers.features", f"--run_dir={run_dir}")
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return run_dir / "features" / "pool", result.stdout


def held_out():
    """Every validation image with its label, as the source has them."""
    source = sources.load("digits", "validation")
    images, labels = source.fetch(np.arange(source.length))
    return images.numpy(), labels.numpy()


def by_hand(images, layer):
    """The same numbers one layer at a time, without `zoo.features`."""
    import keras

    model = trained_on_digits()
    inner = keras.Model(model.input, model.get_layer(layer).output)
    return convert(inner(images, training=False))


def test_npz_holds_every_image_once(made):
    folder, _ = made
    found = np.load(folder / "validation.npz", allow_pickle=False)
    images, labels = held_out()
    assert found["vectors"].shape == (HELD_OUT, 64)  # 64 filters in the last stage, Sec. 4.2
    np.testing.assert_array_equal(found["labels"], labels)
    assert found["ids"].tolist() == [f"validation/{i}" for i in range(HELD_OUT)]
    assert found["class_names"].tolist() == list("0123456789")
    np.testing.assert_allclose(found["vectors"], by_hand(images, "avg_pool"), rtol=1e-4, atol=1e-5)
    assert len(np.load(folder / "train.npz")["labels"]) == 1797 - HELD_OUT


def test_tfrecord_holds_the_same(made):
    folder, _ = made
    found = np.load(folder / "validation.npz")
    spec = {
        "id": tf.io.FixedLenFeature((), tf.string),
        "label": tf.io.FixedLenFeature((), tf.int64),
        "vector": tf.io.FixedLenFeature((64,), tf.float32),
        "shape": tf.io.FixedLenFeature((1,), tf.int64),
    }
    records = tf.data.TFRecordDataset(str(folder / "validation.tfrecord"))
    rows = list(records.map(lambda r: tf.io.parse_single_example(r, spec)).as_numpy_iterator())
    assert [row["id"].decode() for row in rows] == found["ids"].tolist()
    assert [row["label"] for row in rows] == found["labels"].tolist()
    np.testing.assert_array_equal([row["vector"] for row in rows], found["vectors"])
    assert {tuple(row["shape"]) for row in rows} == {(64,)}


def test_a_map_is_pooled_or_whole():
    source = sources.load("digits", "validation")
    images, _ = held_out()
    model, contract = trained_on_digits(), embeddings_contract()
    request = embeddings.Request("conv3_block1_1_conv", "none", batch_size=50, limit=None)
    whole = embeddings.extract(model, contract, source, request)
    expected = by_hand(images, "conv3_block1_1_conv")
    assert whole.vectors.shape == (HELD_OUT, 4, 4, 32)
    np.testing.assert_allclose(whole.vectors, expected, rtol=1e-3, atol=1e-3)
    request = embeddings.Request("conv3_block1_1_conv", "mean", batch_size=50, limit=7)
    pooled = embeddings.extract(model, contract, source, request)
    chosen = [int(name.split("/")[1]) for name in pooled.ids]
    assert len(set(chosen)) == 7
    np.testing.assert_allclose(pooled.vectors, expected[chosen].mean((1, 2)), rtol=1e-3, atol=1e-3)


def embeddings_contract():
    from zoo.preprocess import InputContract

    return InputContract(8, 8)


def test_an_unknown_layer_lists_the_stages():
    source = sources.load("digits", "validation")
    with pytest.raises(embeddings.EmbeddingError, match=r"unknown .*'conv9'.* pool, logits"):
        request = embeddings.Request("conv9")
        embeddings.extract(trained_on_digits(), embeddings_contract(), source, request)


def test_a_file_that_is_no_image_is_named(tmp_path):
    from trainers.data.sources import folder

    bad = tmp_path / "holiday.jpg"
    bad.write_text("no image")
    source = folder.source("folder", "validation", ("a",), [str(bad)], [0])
    with pytest.raises(sources.DataError, match=f"readable image.* {bad}"):
        embeddings.extract(trained_on_digits(), embeddings_contract(), source, embeddings.Request())


# -- TensorBoard


@pytest.fixture(scope="module")
def server(made):
    """TensorBoard's own server over the program's folder; a function from path to bytes."""
    options = [f"--logdir={made[0] / 'projector'}", "--host=127.0.0.1", "--port=0"]
    command = program("tensorboard.main", *options, "--load_fast=false")
    board = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in board.stderr:  # ends when the server does
        lines.append(line)
        if found := re.search(r"http://127.0.0.1:\d+/", line):
            break
    else:
        pytest.fail("TensorBoard did not start: " + "".join(lines))
    url = found[0]

    def get(path, **query):
        query = urllib.parse.urlencode({"run": ".", "name": "resnet8_pool", **query})
        address = f"{url}data/plugin/projector/{path}?{query}"
        with urllib.request.urlopen(address, timeout=30) as response:
            return response.read()

    yield get
    board.terminate()
    board.communicate(timeout=30)


def test_tensorboard_finds_the_embedding(server):
    assert json.loads(server("runs")) == ["."]
    (embedding,) = json.loads(server("info"))["embeddings"]
    assert embedding["tensorName"] == "resnet8_pool"
    assert embedding["tensorShape"] == [HELD_OUT, 64]


def test_tensorboard_serves_every_bit_of_the_vectors(server, made):
    found = np.frombuffer(server("tensor"), np.float32).reshape(HELD_OUT, 64)
    np.testing.assert_array_equal(found, np.load(made[0] / "validation.npz")["vectors"])


def test_tensorboard_serves_ids_and_classes(server):
    header, *rows = server("metadata").decode().splitlines()
    assert header.split("\t") == ["id", "class"]
    _, labels = held_out()
    expected = [f"validation/{i}\t{label}" for i, label in enumerate(labels)]
    assert rows == expected


def test_tensorboard_serves_the_pictures_in_their_places(server):
    """The browser cuts picture i out at row i // g, column i % g of the g x g sheet."""
    sheet = tf.io.decode_png(server("sprite_image")).numpy()
    grid = 19  # the smallest whose square holds 355
    assert sheet.shape == (grid * 8, grid * 8, 3)
    images, _ = held_out()
    for i in (0, 1, 18, 19, 200, HELD_OUT - 1):
        top, left = 8 * (i // grid), 8 * (i % grid)
        np.testing.assert_array_equal(sheet[top : top + 8, left : left + 8], images[i])


def test_tabs_and_line_ends_stay_out_of_the_table(tmp_path):
    each = embeddings.Embeddings(
        np.zeros((1, 2), np.float32), np.array([0]), np.array(["a\tb\n.png"]), ("x\ty",),
        np.zeros((0, 1, 1, 3), np.uint8),
    )  # fmt: skip
    projector.write(tmp_path, "x", each)
    assert (tmp_path / "metadata.tsv").read_text() == "id\tclass\na b .png\tx y\n"
    assert "sprite" not in (tmp_path / projector.CONFIG).read_text()


# -- scores


def test_the_program_says_the_scores(made):
    folder, text = made
    found = json.loads((folder / "scores.json").read_text())
    assert found["train_images"] == 1442 and found["validation_images"] == HELD_OUT
    # The network itself is right on about 97 %; features that lost it would be far off.
    assert found["neighbours_error"] < 0.06 and found["linear_error"] < 0.06
    assert f"{found['linear_error']:.2%}" in text and f"{found['neighbours_error']:.2%}" in text


def made_up(vectors, labels):
    vectors = np.array(vectors, np.float32)
    ids = np.arange(len(labels)).astype(str)
    return embeddings.Embeddings(vectors, np.array(labels), ids, ("a", "b"), np.zeros((0, 1, 1, 3)))


def test_scores_by_hand():
    """By the angle class a is along x and b along y; on the line x = y, one neighbour decides."""
    train = made_up([[1, 0], [9, 1], [0, 1], [1, 9]], [0, 0, 1, 1])
    others = made_up([[5, 1], [100, 20], [1, 7], [0.1, 0.01]], [0, 0, 1, 1])
    found = probes.scores(train, others, neighbours=1)
    assert found["neighbours_error"] == 1 / 4  # the last lies along x, and is called b
    assert found["linear_train_error"] == 0 and found["linear_converged"]
    assert probes.scores(train, others, neighbours=99)["neighbours"] == 4


def test_one_class_teaches_nothing():
    one = made_up([[1, 0], [2, 0]], [0, 0])
    with pytest.raises(probes.ProbeError, match="two classes"):
        probes.scores(one, one)
