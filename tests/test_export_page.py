"""The page in a real browser says what the network says in Python; its preparation is evaluation's.

Needs a Chromium and npm: see `browser`.
"""

import base64
import contextlib
import io
import itertools
import json
import pathlib
import shutil
import subprocess

import browser
import export_networks
import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import zoo
from export import check, formats, images, npm, parity, publish
from export.classifier import Classifier
from export.errors import ExportError
from zoo import orientation, preprocess
from zoo.contract import METHODS, ROUNDINGS, InputContract

WEB = pathlib.Path(npm.__file__).parent / "web"
SIZE = 64
CONTRACT = InputContract(SIZE, 73, orientation="exif")
# What would break out of HTML, JSON, a line, or a direction of writing.
NAMES = (
    "<b>&\"'",
    "back\\slash",
    "naïve 日本語",
    "שלום",
    "👩‍🔬",
    "a,b",
    "</script>",
    "{}",
    "x" * 90,
    "ok",
)

NODE = """
import {prepare} from "%s/prepare.js";
import fs from "fs";
const found = JSON.parse(fs.readFileSync(0)).map(({sides, pixels, contract}) => {
  const bytes = Buffer.from(pixels, "base64");
  const read = (left, top, width, height) => {
    const rows = new Uint8Array(width * height * 4);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++)
      rows[4 * (y * width + x) + c] = bytes[3 * ((top + y) * sides[1] + left + x) + c];
    return rows;
  };
  return Array.from(prepare(sides, read, contract));
});
fs.writeSync(1, JSON.stringify(found));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="no Node.js here to run the page's script in")
def test_the_preparation_is_evaluations(tmp_path):
    """Every rule of a contract, on sides that divide badly, against TensorFlow's resize."""
    shutil.copy(WEB / "prepare.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    rng = np.random.default_rng(0)
    cases = []
    inputs = ((24, 24), (23, 27), ((17, 30), 19), ((30, 17), 17))
    rules = itertools.product(METHODS, (True, False), ROUNDINGS, inputs)
    shapes = ((24, 24), (27, 41), (301, 222), (5, 7), (1, 3), (600, 31))
    for (method, antialias, rounding, sizes), (height, width) in itertools.product(rules, shapes):
        contract = InputContract(*sizes, method, antialias, rounding)
        cases.append((contract, rng.integers(0, 256, (height, width, 3), np.uint8)))
    asked = [
        {
            "sides": image.shape[:2],
            "pixels": base64.b64encode(image.tobytes()).decode(),
            "contract": vars(contract),
        }
        for contract, image in cases
    ]
    script = tmp_path / "run.js"
    script.write_text(NODE % tmp_path)
    done = subprocess.run(
        ["node", script], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    for (contract, image), found in zip(cases, json.loads(done.stdout), strict=True):
        expected = preprocess.resize_crop(image, contract).numpy()
        # TensorFlow places its kernels in float32, and looks the cubic's weights up in a table of
        # 1,024 steps where it does not antialias. Another rule is off by whole levels of noise.
        within = 0.2 if contract.method == "bicubic" and not contract.antialias else 0.02
        np.testing.assert_allclose(
            np.reshape(found, expected.shape), expected, atol=within, err_msg=str(contract)
        )


def network(contract=CONTRACT):
    keras.utils.set_random_seed(0)
    model = export_networks.randomised(zoo.build("resnet8", image_size=contract.image_size))
    logits = model.get_layer("logits")
    logits.kernel.assign(logits.kernel * 0.01)  # so that every class has a score to be seen
    return Classifier(model, contract, NAMES)


@pytest.fixture(scope="module")
def chromium():
    try:
        program, environment = browser.any_browser()
        formats.find("page-none")
        from export.formats import page

        page.fetch()
    except ExportError as error:
        pytest.skip(f"no browser, or no LiteRT.js to run in it: {error}")
    return program, environment


def publish_page(source, folder):
    evidence = images.Evidence(images.of_run(source, "validation", 12))
    return publish.publish(source, formats.find("page-none"), evidence, folder)[0]


@contextlib.contextmanager
def opened_page(chromium, directory):
    """The page, open and loaded."""
    with browser.opened(*chromium) as opened, browser.static_server(directory) as url:
        opened.open(f"{url}/index.html")
        opened.until(STATUS + ".startsWith('Ready')")
        opened.until("Array.from(document.images).every((image) => image.complete)")
        opened.url = url
        yield opened


@pytest.fixture(scope="module")
def published(chromium, tmp_path_factory):
    return publish_page(network(), tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(chromium, published):
    with opened_page(chromium, published) as opened:
        yield opened


STATUS = "document.getElementById('status').textContent"


def photograph(number, size):
    from sklearn.datasets import load_sample_images

    image = PIL.Image.fromarray(load_sample_images().images[number % 2])
    return image.crop((40, 60, 40 + size[0], 60 + size[1]))


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(how):
    exif = PIL.Image.Exif()
    exif[0x0112] = how
    return exif


def transparent():
    """Its colours go on where nothing is seen of them."""
    image = photograph(0, (256, 100)).convert("RGBA")
    image.putalpha(PIL.Image.fromarray(np.tile(np.uint8(np.arange(256)), (100, 1))))
    return image


def pictures():
    """Ten files as people have them: {name: bytes}."""
    return {
        "a.jpg": saved(photograph(0, (320, 240)), "JPEG", quality=90),
        "progressive.jpg": saved(photograph(1, (300, 301)), "JPEG", progressive=True),
        "sideways.jpg": saved(photograph(0, (200, 310)), "JPEG", exif=turned(6)),
        "mirrored.jpg": saved(photograph(1, (310, 200)), "JPEG", exif=turned(7)),
        "grey.jpg": saved(photograph(1, (99, 250)).convert("L"), "JPEG"),
        "a.png": saved(photograph(0, (257, 129)), "PNG"),
        "palette.png": saved(photograph(1, (200, 200)).quantize(64), "PNG"),
        "a.bmp": saved(photograph(0, (73, 73)), "BMP"),
        "transparent.png": saved(transparent(), "PNG"),
        "lossless.webp": saved(photograph(0, (150, 400)), "WEBP", lossless=True),
    }


ANSWER = """
(async () => {
  const {classifyFile} = await import("./page.js");
  const bytes = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
  const {probabilities, pixels} = await classifyFile(new Blob([bytes]));
  return {probabilities, pixels: Array.from(pixels)};
})()
"""


def decoded_in_full(content):
    """As `preprocess.read`, a JPEG's blocks transformed accurately, as browsers and Pillow do."""
    image = preprocess.decode(content)
    if content[:2] == b"\xff\xd8":
        image = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
    return orientation.upright(image, orientation.orientation(content))


def test_ten_pictures_get_the_networks_answers(page):
    """The network's pixels of what is stored without loss, so its scores: 1e-5 is rounding.

    Of a JPEG TensorFlow's decoder takes the faster of libjpeg's transforms, 1 level of 255 off in
    the mean; with its accurate one, which browsers have, the pixels are the same too.
    """
    model = network().model
    answer = lambda pixels: parity.softmax(np.array(model(pixels[None])))[0]  # noqa: E731
    for name, content in pictures().items():
        found = page.evaluate(ANSWER % base64.b64encode(content).decode())
        pixels = np.reshape(found["pixels"], (SIZE, SIZE, 3))
        same = preprocess.resize_crop(decoded_in_full(content), CONTRACT).numpy()
        assert np.abs(pixels - same).max() < 0.01, name
        np.testing.assert_allclose(found["probabilities"], answer(same), atol=1e-5, err_msg=name)
        own = answer(preprocess.prepare(content, CONTRACT).numpy())
        print(name, np.abs(found["probabilities"] - own).max(), own.max())
        within = 0.02 if name.endswith("jpg") else 1e-5
        np.testing.assert_allclose(found["probabilities"], own, atol=within, err_msg=name)
        assert np.argmax(found["probabilities"]) == own.argmax(), name


def test_a_network_of_a_box_sees_the_box(chromium, tmp_path):
    """Pixels and scores; what is shown has its sides, and the page says them as people do."""
    contract = InputContract((40, 64), 46, orientation="exif")
    source = network(contract)
    content = pictures()["a.png"]
    pixels = preprocess.prepare(content, contract).numpy()
    with opened_page(chromium, publish_page(source, tmp_path)) as page:
        found = page.evaluate(ANSWER % base64.b64encode(content).decode())
        np.testing.assert_allclose(np.reshape(found["pixels"], pixels.shape), pixels, atol=0.01)
        scores = parity.softmax(np.array(source.model(pixels[None])))[0]
        np.testing.assert_allclose(found["probabilities"], scores, atol=1e-5)
        drop(page, "a.png", content)
        page.until(STATUS + ".startsWith('Most likely')")
        canvas = "(({width, height}) => [width, height])(document.getElementById('seen'))"
        assert page.evaluate(canvas) == [64, 40]
        size = page.evaluate("document.getElementById('size').textContent")
        assert size == "As the network sees it: 64 x 40 pixels"


SIDES = """
(async () => {
  const {decode} = await import("./pixels.js");
  const bytes = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
  const {width, height} = await decode(new Blob([bytes]), {orientation: "%s"});
  return [width, height];
})()
"""


@pytest.mark.parametrize(("rule", "sides"), [("exif", [40, 64]), ("ignored", [64, 40])])
def test_a_jpeg_is_turned_only_where_training_turned_it(page, rule, sides):
    """Weights from elsewhere ignore what a camera noted; a browser has to be kept from it."""
    content = saved(photograph(0, (64, 40)), "JPEG", exif=turned(6), comment=b"before or after")
    assert page.evaluate(SIDES % (base64.b64encode(content).decode(), rule)) == sides


def drop(page, name, content):
    """As a person drops a file on the page."""
    encoded = base64.b64encode(content).decode()
    page.evaluate(f"""{{
        const data = new DataTransfer();
        const bytes = Uint8Array.from(atob("{encoded}"), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], {json.dumps(name)}));
        document.getElementById("drop").dispatchEvent(
          new DragEvent("drop", {{dataTransfer: data, bubbles: true, cancelable: true}}));
    }}""")


def test_a_dropped_picture_shows_names_and_bars(page):
    content = pictures()["a.png"]
    pixels = preprocess.prepare(content, CONTRACT).numpy()
    scores = parity.softmax(np.array(network().model(pixels[None])))[0]
    best = np.argsort(-scores)[:5]
    drop(page, "a.png", content)
    page.until(STATUS + ".startsWith('Most likely')")
    shown = page.evaluate("""Array.from(document.querySelectorAll("#classes li"), (item) => [
        item.querySelector(".name").textContent,
        item.querySelector(".score").textContent,
        item.querySelector(".track div").style.width])""")
    assert [name for name, _, _ in shown] == [NAMES[i] for i in best]
    for (_, text, width), score in zip(shown, scores[best], strict=True):
        assert float(text.removesuffix(" %")) == pytest.approx(100 * score, abs=0.51)
        assert float(width.removesuffix("%")) == pytest.approx(100 * score, abs=1e-2)
    seen = page.evaluate("""(() => {
        const canvas = document.getElementById("seen");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return Array.from(data);
    })()""")
    np.testing.assert_allclose(np.reshape(seen, (SIZE, SIZE, 4))[..., :3], pixels, atol=0.51)
    assert page.evaluate("/ms in the network/.test(document.getElementById('took').textContent)")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_told_and_leaves_no_answer(page, content):
    drop(page, "<i>x.png", content)
    page.until(STATUS + ".startsWith('<i>x.png: ')")
    assert page.evaluate("document.getElementById('answer').hidden")
    drop(page, "a.png", pictures()["a.png"])
    page.until(STATUS + ".startsWith('Most likely')")


def test_keyboard_and_camera(page):
    """Tab goes through all that can be used; Enter on a sample and on the camera's button works."""
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(3):
        page.press("Tab", 9)
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == ["file", "camera", "BUTTON"]
    page.press("Enter", 13)
    page.until(STATUS + ".startsWith('Most likely')")
    page.evaluate("document.getElementById('camera').focus()")
    page.press("Enter", 13)
    page.until("document.activeElement.id === 'shoot'")
    page.evaluate("document.getElementById('status').textContent = ''")
    page.press("Enter", 13)
    page.until(STATUS + ".startsWith('Most likely')")
    page.evaluate("document.getElementById('camera').click()")
    assert page.evaluate("document.getElementById('video').srcObject === null")


def test_a_screen_reader_has_a_name_for_everything(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    used = ("button", "image", "img", "status", "list", "region", "group")
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in used
    ]
    assert ("button", "Choose a picture") in named and ("button", "Sample 12") in named
    assert [role for role, name in named if not name and role != "status"] == []
    assert page.evaluate("document.documentElement.lang") == "en"


def test_nothing_comes_from_elsewhere(page):
    """Nor does the page's own policy let it: pictures stay where they are."""
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(asked) >= 8
    assert [url for url in asked if not url.startswith((page.url, "data:", "blob:"))] == []
    assert page.evaluate("fetch('http://127.0.0.2:9/').then(() => 'sent', () => 'refused')") == (
        "refused"
    )
    errors = [e for e in page.events if e.get("method") == "Runtime.exceptionThrown"]
    assert errors == []


def test_it_fits_a_phone(page):
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=320,
        height=640,
        deviceScaleFactor=2,
        mobile=True,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    small = page.evaluate("""Array.from(document.querySelectorAll("button, .file"))
        .filter((one) => one.offsetParent && one.offsetHeight < 44).map((one) => one.id)""")
    assert small == []  # WCAG 2.5.5: a finger needs 44 px


def test_the_records_are_whole_and_licences_are_there(published):
    metadata = json.loads((published / check.METADATA).read_text(encoding="utf-8"))
    assert metadata["class_names"] == list(NAMES)
    assert metadata["interface"]["serving_default"]["inputs"]["images"]["shape"] == [
        1,
        SIZE,
        SIZE,
        3,
    ]
    text = (published / "licences.txt").read_text()
    assert "@litertjs/core@2.5.3" in text and "Apache License" in text
    assert {"index.html", "page.js", "pixels.js", "prepare.js", "litert/core.js"} <= metadata[
        "files"
    ].keys()
