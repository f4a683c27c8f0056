"""TFDS' real builders on small archives in the real format, and what is said without them."""

import dataclasses
import gzip
import http.server
import io
import pathlib
import subprocess
import sys
import tarfile
import threading
import time
import types

import keras
import numpy as np
import programs
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import checksums

import zoo
from trainers.data import sources, split
from trainers.data.sources import builders, fashion_mnist, tfds_source
from trainers.engine import metrics
from trainers.plan import images, selection
from trainers.plan.flags import Run
from trainers.plan.recipes import RECIPES
from trainers.run import records as run_records
from zoo import archive
from zoo.preprocess import InputContract

CIFAR_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
PER_FILE = 4


def cifar_archive(path, random):
    """CIFAR-10's binary version, small: a label byte, then 1,024 red, green, blue bytes each."""
    records = {}
    with tarfile.open(path, "w:gz") as tar:

        def add(name, data):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        add("batches.meta.txt", ("\n".join(CIFAR_CLASSES) + "\n\n").encode())
        for name in (*BATCHES, "test_batch"):
            made = random.integers(0, 256, (PER_FILE, 3073)).astype(np.uint8)
            made[:, 0] %= 10
            records[name] = made
            add(f"{name}.bin", made.tobytes())
    return records


@pytest.fixture(scope="module")
def cifar(tmp_path_factory):
    """A data directory with a small CIFAR-10 as array_record, one as tfrecord, and the records."""
    roots = {f: tmp_path_factory.mktemp(f) for f in ("array_record", "tfrecord")}
    url_infos = tfds.builder_cls("cifar10").url_infos
    with pytest.MonkeyPatch.context() as patch:
        for file_format, root in roots.items():
            manual = root / "downloads" / "manual"
            manual.mkdir(parents=True)
            records = cifar_archive(manual / "cifar-10-binary.tar.gz", np.random.default_rng(0))
            info = checksums.compute_url_info(manual / "cifar-10-binary.tar.gz")
            patch.setitem(url_infos, CIFAR_URL, info)
            patch.setattr(builders, "reachable", lambda urls: pytest.fail("asked the network"))
            if file_format == "array_record":
                builders.prepare("cifar10", str(root))
            else:
                tfds.builder("cifar10", data_dir=root).download_and_prepare(file_format="tfrecord")
    return roots, records


def fetched(source):
    images, labels = source.fetch(tf.range(source.length, dtype=tf.int64))
    return images.numpy(), labels.numpy()


@pytest.mark.parametrize("file_format", ["array_record", "tfrecord"])
@pytest.mark.parametrize("split", sources.SPLITS)
def test_cifar10_is_read_whole(cifar, file_format, split):
    roots, records = cifar
    source = sources.load("cifar10", split, data_dir=str(roots[file_format]))
    raw = records["test_batch"]
    if split == "train":
        raw = np.concatenate([records[name] for name in BATCHES])
    assert source.length == len(raw) and source.image_shape == (32, 32, 3)
    assert source.class_names == CIFAR_CLASSES
    images, labels = fetched(source)
    assert images.dtype == np.uint8
    pixels = raw[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    expected = {image.tobytes(): label for image, label in zip(pixels, raw[:, 0], strict=True)}
    assert {i.tobytes(): n for i, n in zip(images, labels, strict=True)} == expected


def test_a_test_split_and_all_of_a_set_are_read(cifar):
    """CIFAR-10 has no validation of its own: its test set is both; all is 5 files and 1 more."""
    roots, records = cifar
    read = {
        split: fetched(sources.load("cifar10", split, data_dir=str(roots["array_record"])))
        for split in ("train", "validation", "test", "all")
    }
    for own, other in zip(read["test"], read["validation"], strict=True):
        np.testing.assert_array_equal(own, other)
    labels = sorted(read["all"][1].tolist())
    assert labels == sorted(int(x) for made in records.values() for x in made[:, 0])
    assert labels == sorted([*read["train"][1].tolist(), *read["test"][1].tolist()])


def test_both_formats_give_one_order(cifar):
    loaded = [
        fetched(sources.load(name, "train", data_dir=str(root)))
        for name, root in zip(("cifar10", "tfds:cifar10"), cifar[0].values(), strict=True)
    ]
    for left, right in zip(*loaded, strict=True):
        np.testing.assert_array_equal(left, right)


def test_sets_larger_than_memory_are_read_by_the_record(cifar, monkeypatch):
    roots, _ = cifar
    images, labels = fetched(sources.load("cifar10", "train", data_dir=str(roots["array_record"])))
    monkeypatch.setattr(tfds_source, "MEMORY_BYTES", 0)
    source = sources.load("cifar10", "train", data_dir=str(roots["array_record"]))
    assert source.image_shape is None
    index = np.array([7, 0, 3])
    dataset = tf.data.Dataset.from_tensors(index).map(source.fetch)
    for encoded, got in (source.fetch(index), next(iter(dataset))):
        decoded = np.stack([tf.io.decode_image(e) for e in encoded])
        np.testing.assert_array_equal(decoded, images[index])
        np.testing.assert_array_equal(got, labels[index])
    with pytest.raises(sources.DataError, match="array_record"):
        sources.load("cifar10", "train", data_dir=str(roots["tfrecord"]))


def test_other_shapes_stay_encoded(cifar, monkeypatch):
    monkeypatch.setattr(tfds_source, "SMALL_PX", 31)
    source = sources.load("cifar10", "train", data_dir=str(cifar[0]["tfrecord"]))
    assert source.image_shape is None
    assert tf.io.decode_image(source.fetch([0])[0][0]).shape == (32, 32, 3)


@pytest.mark.parametrize("name", ["cifar10", "fashion_mnist", "tfds:tf_flowers"])
def test_an_unprepared_set_names_the_command_at_once(tmp_path, name):
    start = time.monotonic()
    bare = name.removeprefix("tfds:")
    command = f"trainers.data.prepare --data={bare} --data_dir={tmp_path}`"
    with pytest.raises(sources.DataError) as error:
        sources.load(name, "train", data_dir=str(tmp_path))
    assert command.removesuffix("`") in str(error.value)
    assert ("make data" in str(error.value)) == (name == "fashion_mnist")
    assert time.monotonic() - start < 10


def test_unknown_names_list_the_known(tmp_path):
    with pytest.raises(ValueError, match="digits.*cifar100.*folder.*synthetic.*'no_such_set'"):
        sources.load("no_such_set", "train", data_dir=str(tmp_path))


def test_sets_without_one_label_an_image_are_refused(tmp_path):
    with pytest.raises(sources.DataError, match="class label"):
        sources.load("nsynth", "train", data_dir=str(tmp_path))


class OneSplit(tfds.core.GeneratorBasedBuilder):
    """Grey images of the sizes that `shape` allows, all in train."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(4, 5, 1)),
                    "label": tfds.features.ClassLabel(names=["dark", "bright"]),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(20):
            yield i, {"image": np.full((4, 5, 1), 10 * i, np.uint8), "label": int(i >= 10)}


def test_one_split_is_divided_and_grey_becomes_rgb(tmp_path, monkeypatch):
    builder = OneSplit(data_dir=tmp_path)
    builder.download_and_prepare(file_format="array_record")
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: builder)
    train, held_out = (
        fetched(sources.load("tfds:one_split", split, data_dir=str(tmp_path)))
        for split in sources.SPLITS
    )
    assert (len(train[0]), len(held_out[0])) == (16, 4)
    images, labels = (np.concatenate(pair) for pair in zip(train, held_out, strict=True))
    assert images.shape == (20, 4, 5, 3)
    assert sorted(images[:, 0, 0, 0]) == list(range(0, 200, 10))
    assert (images == images[:, :1, :1, :1]).all()
    np.testing.assert_array_equal(labels, images[:, 0, 0, 0] >= 100)


def test_preparing_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(builders, "reachable", lambda urls: False)
    where = tmp_path / "downloads" / "manual"
    with pytest.raises(sources.DataError, match=f"cifar-10-binary.tar.gz into {where}"):
        builders.prepare("cifar10", str(tmp_path))


def test_a_broken_archive_is_one_sentence(tmp_path):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "cifar-10-binary.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(sources.DataError, match="cifar10: expected its builder to finish.*hecksum"):
        builders.prepare("cifar10", str(tmp_path))


def test_reachable(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/no-such-file"
    assert builders.reachable([url])
    server.shutdown()
    server.server_close()
    start = time.monotonic()
    assert not builders.reachable([url])
    assert time.monotonic() - start < builders.REACH_SECONDS + 1


def test_the_header_is_gzips_own():
    """Python's gzip writes the expected bytes; `gzip` (the authors' tool) sets system 3, Unix."""

    def zipped(name, seconds):
        out = io.BytesIO()
        with gzip.GzipFile(name, "wb", mtime=seconds, fileobj=out, compresslevel=6) as file:
            file.write(b"pixels")
        return out.getvalue()

    named = fashion_mnist.with_header(zipped("", 5), "train-labels-idx1-ubyte", 1504176606)
    assert named == zipped("train-labels-idx1-ubyte.gz", 1504176606)
    with pytest.raises(sources.DataError, match="without a name"):
        fashion_mnist.with_header(named, "train-labels-idx1-ubyte", 0)


def test_fashion_mnist_archives_are_written_for_every_url(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    for name in fashion_mnist.GZIPPED_AT:
        (package / f"{name}.gz").write_bytes(gzip.compress(b"x", mtime=0))
    monkeypatch.setattr(fashion_mnist, "find_package", lambda scratch: package)
    fashion_mnist.write_archives(tmp_path / "manual")
    infos = tfds.builder_cls("fashion_mnist").url_infos.values()
    assert {p.name for p in (tmp_path / "manual").iterdir()} == {i.filename for i in infos}


@pytest.mark.parametrize("command", [["false"], ["no-such-command-at-all"]])
def test_without_the_package_one_sentence_says_so(command):
    with pytest.raises(sources.DataError, match="dataset-fashion-mnist"):
        fashion_mnist.run(command, pathlib.Path.cwd())


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--dat=x", 2), ("stray", 2)])
def test_usage(argument, status):
    command = [sys.executable, "-m", "trainers.data.prepare", argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == status
    assert "data" in done.stdout + done.stderr


def test_sources_does_not_import_what_a_run_may_not_need():
    code = (
        "import sys, trainers.data.sources as s; "
        "bad = {'tensorflow', 'tensorflow_datasets', 'sklearn'} & set(sys.modules); "
        "sys.exit(f'{bad}' if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_training_images_stand_in_for_a_test_set(cifar, monkeypatch):
    """The paper's 45k/5k (Sec. 4.2), here 14 and 6 of 20: nothing lost, nothing twice."""
    place = str(cifar[0]["array_record"])
    whole = fetched(sources.load("cifar10", "train", data_dir=place))
    parts = [sources.load("cifar10", s, data_dir=place, hold_out=6) for s in sources.SPLITS]
    assert [part.length for part in parts] == [14, 6]
    for own, pair in zip(whole, zip(*map(fetched, parts))):
        np.testing.assert_array_equal(own, np.concatenate(pair))
    test = sources.load("cifar10", "test", data_dir=place, hold_out=6)
    assert test.length == 4 and test.is_test and not parts[1].is_test
    assert sources.load("cifar10", "validation", data_dir=place).is_test
    counted = [sources.lacks_validation(name, place) for name in ("cifar10", "digits", "folder")]
    assert counted == [20, 0, 0]


def a_run(data="cifar10", **changes):
    recipe = dataclasses.replace(RECIPES["cifar10"], **changes)
    return Run("resnet20", "A", "1x1", data, 0, "float32", recipe)


def test_what_decides_never_looks_at_a_test_set(cifar):
    place = str(cifar[0]["array_record"])
    assert selection.held_out(a_run(), place) == 0  # the paper's schedule is fixed
    assert selection.held_out(a_run(schedule="plateau"), place) == 2  # a tenth of 20
    assert selection.held_out(a_run(early_stop_rounds=3, hold_out=5), place) == 5
    insisted = a_run(schedule="plateau", hold_out=0)
    assert selection.held_out(insisted, place) == 0
    with pytest.raises(selection.SelectionError, match="fewer than the 20 training images"):
        selection.held_out(a_run(hold_out=20), place)
    with pytest.raises(selection.SelectionError, match="digits has validation images: leave it"):
        selection.held_out(a_run("digits", hold_out=5), None)
    data = images.load(insisted, place)
    assert "no test error any more" in selection.warned(insisted, data)
    assert selection.told(insisted, data) is None
    assert "no `best` weights are chosen" in selection.told(a_run(), data)
    assert selection.warned(a_run(), data) is None


def test_best_is_not_chosen_by_a_test_set(tmp_path):
    network = zoo.Network("resnet8", 10, 8, "A")
    model = zoo.build_network(network)
    manifest = archive.Manifest(network, InputContract(8, 8), list("0123456789"), {})
    record = {"step": 1, "validation_error": 0.5}
    state = types.SimpleNamespace(
        **dict(model=model, optimizer=keras.optimizers.SGD(), step=1),
        **dict(history=[record], task=metrics.CLASSIFICATION),
    )
    for choosing, kept in (
        (False, {archive.WEIGHTS}),
        (True, {archive.WEIGHTS, "model.best.weights.h5"}),
    ):
        run_records.Archivist(state, tmp_path, manifest, choosing).on_epoch_end(0)
        assert set(archive.load_manifest(tmp_path).weights) == kept


def test_cifar10_trains_some_steps(cifar, tmp_path):
    """The paper's net and recipe, through the real builder's files and the real program.

    With early stop, 2 of 20 training images are held out; who judges the run finds the same.
    """
    arguments = ["--model=resnet20", "--recipe=cifar10", "--steps=3", "--batch_size=10"]
    arguments += ["--early_stop_rounds=5"]
    places = [f"--data_dir={cifar[0]['array_record']}", f"--run_dir={tmp_path}"]
    result = programs.run("trainers.classify", *arguments, *places)
    assert result.returncode == 0 and result.stderr == ""
    assert "on cifar10: 18 images to train, 2 to validate, 10 classes" in result.stdout
    assert "step      3 / 3" in result.stdout
    manifest = archive.load_manifest(tmp_path)
    assert "model.best.weights.h5" in manifest.weights and split.read(tmp_path).hold_out == 2
    lengths = [
        images.source_of(manifest, s, run_dir=tmp_path).length for s in ("validation", "test")
    ]
    assert lengths == [2, 4]
    elsewhere = images.Images("cifar10", str(cifar[0]["tfrecord"]))  # is not the run's own
    assert images.source_of(manifest, other=elsewhere, run_dir=tmp_path).length == 4
