"""ImageNet by its own TFDS builder, from archives of its format with a few pictures in them."""

import io
import pathlib
import socket
import tarfile
import threading

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image
from runs_on_digits import records, run

from trainers.data import pipelines, service, sources
from trainers.data.augment import Augmentation
from trainers.data.sources import tfds_source
from zoo.preprocess import InputContract

FILES = pathlib.Path(tfds.__file__).parent / "datasets" / "imagenet2012"
SYNSETS = (FILES / "labels.txt").read_text().split()
RANDOM = np.random.default_rng(0)


def jpeg(shade):
    pixels = RANDOM.integers(0, 40, (40, 50, 3)) + shade
    out = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(out, "JPEG")
    return out.getvalue()


def add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def train_archive(path):
    """A tar of a tar for each synset, as the real one: three classes, four pictures each."""
    with tarfile.open(path, "w") as whole:
        for label in (0, 1, 999):
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as synset:
                for number in range(4):
                    name = f"{SYNSETS[label]}_{number}.JPEG"
                    add(synset, name, jpeg(label * 200 // 999))
            add(whole, f"{SYNSETS[label]}.tar", inner.getvalue())


def validation_archive(path):
    """Pictures by number; their labels are in a file of TFDS' own."""
    with tarfile.open(path, "w") as whole:
        for number in range(1, 7):
            add(whole, f"ILSVRC2012_val_{number:08}.JPEG", jpeg(100))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Prepared by the program, as a user does it; without the archives it says which."""
    root = tmp_path_factory.mktemp("imagenet")
    arguments = ["--data=imagenet2012", f"--data_dir={root}"]
    absent = run("data.prepare", *arguments)
    assert absent.returncode == 1
    assert "expected ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar in" in absent.stderr
    manual = root / "downloads" / "manual"
    manual.mkdir(parents=True)
    train_archive(manual / "ILSVRC2012_img_train.tar")
    validation_archive(manual / "ILSVRC2012_img_val.tar")
    prepared = run("data.prepare", *arguments)
    assert prepared.returncode == 0, prepared.stderr
    return str(root)


def of(source):
    """(label, mean shade) of every example, sorted."""
    images, labels = source.fetch(tf.range(source.length, dtype=tf.int64))
    shades = [round(float(tf.io.decode_jpeg(image).numpy().mean())) for image in images]
    return sorted(zip(labels.numpy().tolist(), shades, strict=True))


def test_labels_and_pictures_are_those_of_the_archives(data_dir):
    train = sources.load("imagenet2012", "train", data_dir=data_dir)
    assert train.num_classes == 1000 and train.length == 12
    assert train.class_names[999] == SYNSETS[999]
    assert [label for label, _ in of(train)] == [0] * 4 + [1] * 4 + [999] * 4
    assert {round(shade, -2) for label, shade in of(train) if label == 999} == {200}
    held_out = sources.load("imagenet2012", "validation", data_dir=data_dir)
    real = (FILES / "validation_labels.txt").read_text().split()[:6]
    expected = sorted(SYNSETS.index(name) for name in real)
    assert [label for label, _ in of(held_out)] == expected


def test_records_read_one_by_one_are_the_same(data_dir, monkeypatch):
    """As the whole of ImageNet is, which does not fit the memory."""
    held = sources.load("imagenet2012", "train", data_dir=data_dir)
    monkeypatch.setattr(tfds_source, "MEMORY_BYTES", 0)
    read = sources.load("imagenet2012", "train", data_dir=data_dir)
    service.check(f"grpc://127.0.0.1:{listening()}", held)
    with pytest.raises(sources.DataError, match="read by Python, which a tf.data service cannot"):
        service.check("grpc://127.0.0.1:1", read)
    some = tf.constant([7, 0, 11], tf.int64)
    for ours, theirs in zip(read.fetch(some), held.fetch(some), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    batches = [
        next(iter(pipelines.train(source, CONTRACT, JITTER, batch_size=4, seed=0, steps=(0, 1))))
        for source in (held, read)
    ]
    for ours, theirs in zip(*batches, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def listening():
    """A port at which somebody answers, for as long as the test lasts."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: [server.accept()[0].close(), server.close()]).start()
    return server.getsockname()[1]


CONTRACT = InputContract(24, 28)
JITTER = Augmentation("scale_jitter", scale_range=(28, 50), color=True)


def test_a_batch_far_in_reads_nothing_before_it():
    """The millionth of a set of ImageNet's size: its own eight examples and no others."""
    fetched, picture = [], jpeg(100)

    def note(indices):
        fetched.extend(indices.tolist())
        return np.array([picture] * len(indices), object), np.zeros(len(indices), np.int32)

    def fetch(indices):
        images, labels = tf.numpy_function(note, [indices], [tf.string, tf.int32])
        return tf.ensure_shape(images, indices.shape), tf.ensure_shape(labels, indices.shape)

    source = sources.Source("far", "train", ("a",), 1_281_167, fetch, None)
    step = 1_000_000
    (batch,) = pipelines.train(
        source, CONTRACT, JITTER, batch_size=8, seed=0, steps=(step, step + 1)
    )
    position = tf.range(step * 8, step * 8 + 8, dtype=tf.int64)
    expected = pipelines.example_indices(position, source.length, 0).numpy().tolist()
    assert batch[2].numpy().tolist() == expected
    assert sorted(fetched) == sorted(expected)


@pytest.mark.slow
def test_the_papers_recipe_trains_on_it(data_dir, tmp_path):
    arguments = ["--recipe=imagenet", f"--data_dir={data_dir}", "--model=resnet18"]
    arguments += ["--image_size=32", "--resize_px=36", "--batch_size=4", "--steps=2"]
    arguments += ["--round_steps=2", "--nopictures"]
    result = run("classify", *arguments, f"--run_dir={tmp_path}")
    assert result.returncode == 0, result.stderr
    assert "12 images to train, 6 to validate, 1000 classes" in result.stdout
    assert np.isfinite(records(tmp_path)[-1]["loss"])
