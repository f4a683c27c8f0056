"""The size that a header claims, against files that PIL wrote, and what is too much of it."""

import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from zoo import headers


def encode(width, height, form, **options):
    stream = io.BytesIO()
    mode = options.pop("mode", "RGB")
    PIL.Image.new(mode, (width, height)).save(stream, form, **options)
    return stream.getvalue()


claimed_size = tf.function(headers.claimed_size, input_signature=[tf.TensorSpec((), tf.string)])


def claimed(encoded):
    """In a graph, as it is served."""
    return claimed_size(encoded).numpy().tolist()


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("PNG", {"mode": "L"}),
        ("BMP", {}),
        ("GIF", {}),
        ("GIF", {"mode": "RGB", "comment": b"an extension " * 40}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"mode": "CMYK"}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(3000)}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"mode": "RGBA"}),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 300), (301, 5), (1000, 257)])
def test_size_is_what_was_written(form, options, width, height):
    assert claimed(encode(width, height, form, **options)) == [height, width, width * height]


def test_a_gif_claims_all_its_frames():
    frames = [PIL.Image.new("L", (60, 40), level) for level in (0, 100, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert claimed(stream.getvalue()) == [40, 60, 3 * 60 * 40]


def test_a_bmp_stored_from_the_top():
    content = bytearray(encode(9, 5, "BMP"))
    content[22:26] = (-5).to_bytes(4, "little", signed=True)
    assert claimed(bytes(content)) == [5, 9, 45]


@pytest.mark.parametrize(
    "content", [b"", b"GIF8", b"BM", b"RIFF1234WEBP", b"\x89PNG", b"text" * 20]
)
def test_no_size_in_what_has_none(content):
    assert claimed(content)[2] == 0
    assert not headers.is_safe(tf.constant(content), 224)


@pytest.mark.parametrize(
    ("width", "height", "resize_px", "safe"),
    [
        (8192, 8192, 256, True),  # 2 ** 26 pixels
        (8193, 8192, 256, False),
        (60_000, 1, 8, True),  # 3.8 million after resizing
        (60_000, 1, 224, False),  # 3,010 million
        (1, 60_000, 224, False),
        (1333, 1, 224, True),  # 2 ** 26 / 224 ** 2 = 1337 times as long as wide
        (1340, 1, 224, False),
        (0, 10, 8, False),
    ],
)
def test_what_is_safe(width, height, resize_px, safe):
    """By the header alone: the file is a PNG of one pixel that says it is another size."""
    content = bytearray(encode(1, 1, "PNG"))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    assert bool(headers.is_safe(tf.constant(bytes(content)), resize_px)) == safe


@pytest.mark.parametrize("resize_px", [224, 4096, 8192])
def test_usual_shapes_are_never_too_large_to_resize(resize_px):
    """Whatever the network's size; four times as long as wide is the most where it is large."""
    for width, height in ((4000, 3000), (640, 640), (100, 400)):
        assert not headers.exceeds(
            tf.constant([height, width, height * width], tf.int64), resize_px
        )


def test_bytes_that_claim_too_much_are_withheld_from_the_decoder():
    content = encode(9, 5, "PNG")
    large = bytearray(content)
    large[16:24] = (20_000).to_bytes(4, "big") * 2
    for given, kept in ((content, content), (b"", b""), (b"text", b"text"), (bytes(large), b"")):
        assert headers.bounded(tf.constant(given), 224).numpy() == kept
        assert tf.function(headers.bounded)(tf.constant(given), 224).numpy() == kept


def test_a_gif_of_many_blocks():
    """Noise does not compress: 300 x 200 pixels are some 280 sub-blocks of 255 bytes."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    stream = io.BytesIO()
    PIL.Image.fromarray(noise).save(stream, "GIF")
    assert len(stream.getvalue()) > 70_000
    assert claimed(stream.getvalue()) == [200, 300, 60_000]


@pytest.mark.parametrize("frame", [b"\x21\xfe" + b"\1\0" * 20_000 + b"\0", b"\x21\xfe\0" * 20_000])
def test_a_gif_of_nothing_but_blocks_is_too_large_to_walk(frame, monkeypatch):
    """Of 16 MB of one-byte sub-blocks the walk alone took 13 s; comments stand for frames."""
    monkeypatch.setattr(headers, "GIF_BLOCKS", 1000)  # 65,536 take a second
    stream = io.BytesIO()
    PIL.Image.new("L", (60, 40)).save(stream, "GIF")
    content = stream.getvalue()
    walk = tf.function(headers.size_of_others.python_function)  # with this bound
    start = 13 + 6 * 2 ** (content[10] % 8)  # behind the palette
    long = content[:start] + frame + content[start:]
    size = walk(tf.constant(long))
    assert headers.exceeds(size, 8).numpy() and size.numpy().min() > 0
    few = content[:start] + b"\x21\xfe" + b"\1\0" * 400 + b"\0" + content[start:]
    assert walk(tf.constant(few)).numpy().tolist() == [40, 60, 60 * 40]


def test_random_bytes_do_no_harm():
    """A header of each format and noise after it: a size or none, in the time of a few loops."""
    rng = np.random.default_rng(0)
    for magic in (b"GIF89a", b"BM", b"RIFF1234WEBPVP8X", b"\x89PNG\r\n\x1a\n"):
        for length in (0, 5, 30, 2000):
            assert len(claimed(magic + rng.bytes(length))) == 3
