"""The pictures of an evaluation, read again as pixels."""

import tracemalloc

import numpy as np
import tensorflow as tf
from PIL import Image

from trainers.data import sources
from trainers.judging import figures, plots, verdict
from zoo.preprocess import InputContract

COLOURS = [(230, 30, 30), (30, 160, 30), (30, 30, 230), (230, 160, 0), (0, 160, 230)]
SIZES = [(32, 32), (300, 200), (60, 240), (8, 8), (100, 100)]  # (H, W)


def middles(pixels):
    """Where each colour's pixels lie and what rectangle they fill: -> [(y, x, H, W)]."""
    found = []
    for colour in COLOURS:
        rows, columns = np.nonzero(np.abs(pixels.astype(int) - colour).max(axis=-1) < 8)
        assert len(rows), f"no pixel is {colour}"
        tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert len(rows) > 0.95 * tall * wide, f"{colour} is covered by something"
        found.append((rows.mean(), columns.mean(), tall, wide))
    return found


def test_a_contact_sheet_shows_each_picture_whole_in_its_place_and_its_shape(tmp_path):
    images = [np.full((*size, 3), c, np.uint8) for size, c in zip(SIZES, COLOURS)]
    plots.contact_sheet(tmp_path / "sheet.png", images, [("true", "called")] * 5, columns=2)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    cell_height, cell_width = pixels.shape[0] / 3, pixels.shape[1] / 2
    for number, (y, x, tall, wide) in enumerate(middles(pixels)):
        assert (y // cell_height, x // cell_width) == divmod(number, 2)
        assert np.isclose(tall / wide, SIZES[number][0] / SIZES[number][1], rtol=0.05)
        assert max(tall, wide) > 0.8 * min(cell_height, cell_width)
        above = pixels[int(y - tall / 2) - 25 : int(y - tall / 2) - 2, int(x) - 30 : int(x) + 30]
        assert above.min() < 100, "no caption above the picture"


def test_a_contact_sheet_of_nothing_says_so(tmp_path):
    plots.contact_sheet(tmp_path / "sheet.png", [], [])
    pixels = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    assert pixels.min() < 100 and (pixels < 100).mean() < 0.02


def test_many_classes_are_shown_by_their_pairs_in_little_memory(tmp_path):
    """5,000 classes: a matrix of them alone would have 200 MB. The most confused stand on top."""
    classes = 5000
    labels = np.repeat([7, 4000, 20, 21], [30, 20, 10, 5])
    called = np.repeat([8, 1, 2, 21], [30, 20, 10, 5])  # the last are right
    probabilities = np.zeros((len(labels), classes), np.float32)
    probabilities[np.arange(len(labels)), called] = 1
    tracemalloc.start()
    counts = figures.confusion(probabilities, labels)
    as_json = figures.by_class(counts)
    plots.confusion(tmp_path / "pairs.png", counts, [f"class {n}" for n in range(classes)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
    assert as_json == {"7": {"8": 30}, "20": {"2": 10}, "21": {"21": 5}, "4000": {"1": 20}}
    pixels = np.asarray(Image.open(tmp_path / "pairs.png").convert("RGB")).astype(int)
    widths = (np.abs(pixels - (192, 57, 43)).max(axis=-1) < 8).sum(axis=1)
    bars = [w for w, before in zip(widths[1:], widths[:-1]) if w > 20 and before <= 20]
    np.testing.assert_allclose(np.array(bars) / bars[0], [1, 2 / 3, 1 / 3], atol=0.02)


def test_large_pictures_are_shrunk_before_they_are_drawn_and_others_kept():
    rng = np.random.default_rng(0)
    small, wide = (rng.integers(0, 256, (*size, 3), np.uint8) for size in ((512, 300), (500, 2000)))
    encoded = [tf.io.encode_png(image).numpy() for image in (small, wide)]
    source = sources.in_memory("x", "validation", ("a",), encoded, [0, 0])
    contract = InputContract(8, 8)
    np.testing.assert_array_equal(verdict.picture(source, 0, contract), small)
    found = verdict.picture(source, 1, contract)
    assert found.shape == (128, 512, 3) and found.dtype == np.uint8
    theirs = np.asarray(Image.fromarray(wide).resize((512, 128), Image.Resampling.BILINEAR))
    assert np.abs(found.astype(int) - theirs).max() <= 2  # Pillow's low-passes as well
