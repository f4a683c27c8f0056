"""Pictures of every kind: read as Pillow reads them, or skipped, counted and named."""

import io
import pathlib
import signal
import subprocess

import numpy as np
import programs
import pytest
import tensorflow as tf
from PIL import Image
from runs_on_digits import command, records, run, wait_for

from trainers.data import pipelines, skipped, sources
from trainers.data.augment import Augmentation
from trainers.data.sources import folder
from trainers.judging import views
from zoo import preprocess
from zoo.preprocess import InputContract

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (9, 12, 3)).astype(np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(*np.mgrid[60:140:32j, 40:200:48j], 90.0), 2).astype(np.uint8)
BROKEN = (b"", b"no picture", b"\x89PNG\r\n\x1a\n")


def encoded(mode, kind, **options):
    """A picture of a colour mode in a format: bytes."""
    out = io.BytesIO()
    if mode == "I;16":
        Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(out, kind)
    else:
        Image.fromarray(SMOOTH if kind == "JPEG" else PIXELS).convert(mode).save(
            out, kind, **options
        )
    return out.getvalue()


def animated():
    out = io.BytesIO()
    frames = [Image.fromarray(np.full((9, 12, 3), shade, np.uint8)) for shade in (10, 200)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    "content, tolerance",
    [
        (encoded("RGB", "PNG"), 0),
        (encoded("L", "PNG"), 0),
        (encoded("P", "PNG"), 0),
        (encoded("RGBA", "PNG"), 0),
        (encoded("I;16", "PNG"), 1),  # the upper of two bytes, or rounded
        (encoded("RGB", "BMP"), 0),
        (encoded("RGB", "WEBP", lossless=True), 0),
        (encoded("RGB", "JPEG", quality=95), 5),  # decoders round differently
        (encoded("L", "JPEG", quality=95), 5),
        (encoded("RGB", "JPEG", progressive=True), 5),
        (animated(), 0),  # its first frame
    ],
)
def test_it_is_read_as_pillow_reads_it(content, tolerance):
    ours = preprocess.decode(tf.constant(content)).numpy()
    pil = Image.open(io.BytesIO(content))
    if pil.mode.startswith("I"):
        theirs = np.stack([np.asarray(pil) // 257] * 3, axis=2)
    else:
        theirs = np.asarray(pil.convert("RGB"))
    assert np.abs(ours.astype(int) - theirs).max() <= tolerance


def test_cmyk_is_read_as_colours():
    """Pillow and libjpeg differ in how inks make light; which colour it is they agree on."""
    out = io.BytesIO()
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(out, "JPEG")  # magenta and yellow: red
    red, green, blue = preprocess.decode(tf.constant(out.getvalue())).numpy().mean(axis=(0, 1))
    assert red > 200 and green < 60 and blue < 60


def test_one_pixel_fills_the_network():
    out = io.BytesIO()
    Image.new("RGB", (1, 1), (10, 20, 30)).save(out, "PNG")
    image = preprocess.prepare(tf.constant(out.getvalue()), InputContract(8, 10)).numpy()
    np.testing.assert_allclose(image, np.broadcast_to([10, 20, 30], (8, 8, 3)), rtol=1e-5)


def photos(directory, count=24):
    """Two classes of small pictures: -> the root."""
    for label in ("dark", "light"):
        (directory / label).mkdir(parents=True)
        for number in range(count // 2):
            shade = RANDOM.integers(0, 100, (12, 12, 3)) + 150 * (label == "light")
            picture = Image.fromarray(shade.astype(np.uint8))
            picture.save(directory / label / f"{number:02}.png")
    return directory


@pytest.fixture
def source(tmp_path):
    """Twenty-four pictures of which the second, third and last cannot be read."""
    found = sorted(photos(tmp_path / "photos").rglob("*.png"))
    for path, content in zip((found[1], found[2], found[-1]), BROKEN, strict=True):
        path.write_bytes(content)
    labels = [int("light" in str(path)) for path in found]
    return folder.source("folder", "train", ("dark", "light"), [str(p) for p in found], labels)


def stream_of(source, part=pipelines.WHOLE, steps=(0, 12)):
    kind = Augmentation("pad_crop", pad_px=1)
    return pipelines.train(
        source, InputContract(8, 8), kind, batch_size=4, seed=1, steps=steps, part=part
    )


def test_another_takes_its_place_and_the_rest_stays(source):
    """Two epochs: full batches, the same on two replicas and from any step on."""
    passing = skipped.tolerant(source)
    whole = [[x.numpy() for x in batch] for batch in stream_of(passing)]
    assert [len(batch[1]) for batch in whole] == [4] * 12
    used = np.concatenate([batch[2] for batch in whole])
    assert {1, 2, 23}.isdisjoint(used)
    for images, labels, index in whole:
        assert np.all((images.mean(axis=(1, 2, 3)) > 125) == labels)
        np.testing.assert_array_equal(labels, index >= 12)
    wanted = pipelines.example_indices(tf.range(48, dtype=tf.int64), 24, 1).numpy()
    readable = ~np.isin(wanted, (1, 2, 23))
    np.testing.assert_array_equal(used[readable], wanted[readable])
    assert passing.skipped.indices == {1, 2, 23}
    other = skipped.tolerant(source)
    halves = [list(stream_of(other, pipelines.Slice(2, first, 1))) for first in (0, 1)]
    again = list(stream_of(other, steps=(7, 12)))
    for step, batch in enumerate(whole):
        for column, expected in enumerate(batch):
            parts = [half[step][column] for half in halves]
            np.testing.assert_array_equal(np.concatenate(parts), expected)
            if step >= 7:
                np.testing.assert_array_equal(again[step - 7][column], expected)
    assert other.skipped.indices == {1, 2, 23}


def test_an_evaluation_leaves_it_out(source):
    passing = skipped.tolerant(source)
    batches = list(pipelines.evaluate(passing, InputContract(8, 8), batch_size=5))
    weights = np.concatenate([weights for _, _, weights, _ in batches])
    index = np.concatenate([index for *_, index in batches])
    assert sorted(index[weights > 0]) == sorted(set(range(24)) - {1, 2, 23})
    assert passing.skipped.indices == {1, 2, 23}


def test_without_leave_it_is_an_error_that_names_it(source):
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a readable image"):
        list(stream_of(source))


def test_nothing_readable_is_an_error_and_no_endless_search(tmp_path):
    found = sorted(photos(tmp_path / "photos").rglob("*.png"))
    for path in found:
        path.write_bytes(b"")
    source = folder.source("folder", "train", ("a",), [str(p) for p in found], [0] * len(found))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a readable image"):
        list(stream_of(skipped.tolerant(source)))


@pytest.fixture
def oversized(tmp_path):
    """Eight pictures; the fifth is 1 x 1100: 72 million pixels once the shorter side is 256.

    Its header is enough: the rest of the sixth, which says 16,383 x 16,383, is missing.
    """
    found = sorted(photos(tmp_path / "photos", 8).rglob("*.png"))
    Image.new("RGB", (1, 1100)).save(found[4])
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP", lossless=True)
    content = bytearray(out.getvalue())
    content[21:25] = (2**28 - 1).to_bytes(4, "little")  # 14 bits less one for each side
    found[5].write_bytes(content)
    labels = [int("light" in str(path)) for path in found]
    return folder.source("folder", "train", ("dark", "light"), [str(p) for p in found], labels)


@pytest.mark.parametrize("kind", ["none", "pad_crop", "scale_jitter", "random_resized_crop"])
def test_training_passes_over_what_is_too_large(oversized, kind):
    passing = skipped.tolerant(oversized)
    batches = pipelines.train(
        passing,
        InputContract(8, 256),
        Augmentation(kind, pad_px=1),
        batch_size=4,
        seed=1,
        steps=(0, 2),
    )
    assert {4, 5}.isdisjoint(np.concatenate([index.numpy() for *_, index in batches]))
    assert passing.skipped.indices == {4, 5}


@pytest.mark.parametrize("kind", views.KINDS)
def test_evaluation_passes_over_what_is_too_large(oversized, kind):
    passing = skipped.tolerant(oversized)
    one = views.passes(kind, InputContract(24, 256))[-1]
    (batch,) = pipelines.evaluate(passing, one.contract, batch_size=8, look=one.look)
    expected = {5} if kind != "center" else {4, 5}  # of a net of 24 px the other sides are 27, 69
    assert set(np.flatnonzero(batch[2].numpy() == 0)) == passing.skipped.indices == expected
    with pytest.raises(tf.errors.InvalidArgumentError, match="of at most 67,108,864 pixels"):
        list(pipelines.evaluate(oversized, one.contract, batch_size=8, look=one.look))


def test_a_mean_passes_over_what_is_too_large(oversized):
    passing = skipped.tolerant(oversized)
    found = pipelines.mean(passing, InputContract(8, 256), "pixel")
    others = [p for i, p in enumerate(oversized.files) if i not in (4, 5)]
    rest = folder.source("folder", "train", ("a",), others, [0] * 6)
    np.testing.assert_array_equal(found, pipelines.mean(rest, InputContract(8, 256), "pixel"))
    for path in others:
        pathlib.Path(path).write_bytes(b"")
    with pytest.raises(sources.DataError, match="expected pictures that can be read .* found none"):
        pipelines.mean(skipped.tolerant(oversized), InputContract(8, 256), "pixel")


def test_lines_are_merged_and_counted(tmp_path):
    source = sources.Source("folder", "train", ("a",), 1000, None, None)
    assert skipped.merge(tmp_path, ["train\t7"]) == ["train\t7"]
    lines = skipped.merge(tmp_path, ["train\t12", "train\t7"])
    assert (tmp_path / "skipped.txt").read_text() == "train\t12\ntrain\t7\n"
    skipped.check(lines, source, 0.002, tmp_path)
    with pytest.raises(sources.DataError, match="2 of 1,000 examples of train cannot be read"):
        skipped.check(lines, source, 0.001, tmp_path)


@pytest.mark.slow
def test_a_run_names_what_it_skipped_and_a_killed_one_the_same(tmp_path):
    root = photos(tmp_path / "photos", 40)
    broken = [root / "dark" / f"{n:02}.png" for n in (3, 4)] + [root / "light" / "11.png"]
    for path, content in zip(broken, BROKEN, strict=True):
        path.write_bytes(content)
    arguments = ["--data=folder", f"--data_dir={root}", "--recipe=cifar10", "--model=resnet8"]
    arguments += [
        "--image_size=12",
        "--batch_size=4",
        "--steps=12",
        "--round_steps=6",
        "--nopictures",
    ]
    strict = run("classify", *arguments, f"--run_dir={tmp_path / 'strict'}")
    assert strict.returncode == 1
    assert "cannot be read, expected at most 0.10% (--max_skipped)" in strict.stderr
    assert "Traceback" not in strict.stderr

    lenient = [*arguments, "--max_skipped=0.2", "--checkpoint_steps=2"]
    whole = run("classify", *lenient, f"--run_dir={tmp_path / 'whole'}")
    assert whole.returncode == 0, whole.stderr
    listed = (tmp_path / "whole" / "skipped.txt").read_text()
    assert {line.split("\t")[1] for line in listed.splitlines()} == set(map(str, broken))

    killed = tmp_path / "killed"
    more = [*lenient, f"--run_dir={killed}", "--steps_per_execution=1"]
    process = programs.Started("trainers.classify", *more)
    wait_for(killed / "checkpoints" / "ckpt-*.index", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run("classify", *more).returncode == 0
    assert (killed / "skipped.txt").read_text() == listed
    assert records(killed) == records(tmp_path / "whole")

    judged = run("evaluate", f"--run_dir={killed}", "--split=train")
    assert judged.returncode == 1
    named = "expected a readable image of at most 67,108,864 pixels, replace or remove it:"
    assert named in judged.stderr.splitlines()[-1]


@pytest.mark.slow
def test_batches_of_a_service_are_those_of_the_trainer(tmp_path):
    root = photos(tmp_path / "photos")
    arguments = ["--data=folder", f"--data_dir={root}", "--recipe=cifar10", "--model=resnet8"]
    arguments += [
        "--image_size=12",
        "--batch_size=4",
        "--steps=2",
        "--round_steps=2",
        "--nopictures",
    ]
    own = run("classify", *arguments, f"--run_dir={tmp_path / 'own'}")
    assert own.returncode == 0, own.stderr
    server = subprocess.Popen(
        command("data.serve", "--port=0"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        service = server.stdout.readline().decode().split()[-1]  # the flag, as it is to be given
        port = service.rpartition(":")[2]
        for name, more in {"one": [], "two": ["--logical_devices=2"]}.items():
            served = run("classify", *arguments, service, *more, f"--run_dir={tmp_path / name}")
            assert served.returncode == 0, served.stderr
    finally:
        server.kill()
        server.communicate()
    assert records(tmp_path / "one") == records(tmp_path / "own")
    assert records(tmp_path / "two")[0]["loss"] == pytest.approx(
        records(tmp_path / "own")[0]["loss"], rel=0.2
    )
    absent = run("classify", *arguments, service, f"--run_dir={tmp_path / 'absent'}")
    assert absent.returncode == 1
    assert f"nobody answers at grpc://127.0.0.1:{port}" in absent.stderr.splitlines()[-1]
