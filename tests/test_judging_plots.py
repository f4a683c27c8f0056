"""The pictures of an evaluation, read again as pixels."""

import numpy as np
from PIL import Image

from trainers.judging import plots

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
