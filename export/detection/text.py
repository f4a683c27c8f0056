"""A detector's model card, in Markdown, from its artifact's metadata alone."""

from export import card_text
from zoo.headers import MAX_PIXELS

SAVED_MODEL = """\
## Use

In Python, with TensorFlow alone:
```python
import tensorflow as tf

detect = tf.saved_model.load(".").signatures["detect_bytes"]
found = detect(image_bytes=[tf.io.read_file("samples/{sample}")])
for number in range(int(found["count"][0])):
    name = found["class_names"][0, number].numpy().decode()
    print(name, found["scores"][0, number].numpy(), found["boxes"][0, number].numpy())
```
Served by TensorFlow Serving, whose REST request is `samples/request.json` (KServe's v1 protocol
takes the same). The folder above this one is what it watches, and `assets.extra` warms it up.
`samples/request.v2.json` is the same request in the Open Inference Protocol, as MLServer and
KServe v2 take it once they run a SavedModel."""

TFLITE = """\
## Use

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

detect = Interpreter("model.tflite").get_signature_runner("detect")
pixels = np.load("samples/reference.npz")["pixels_0"].astype(np.float32)  # ({height}, {width}, 3)
found = detect(images=pixels[np.newaxis])
count = found["count"][0]
print(found["boxes"][0, :count], found["scores"][0, :count], found["class_ids"][0, :count])
```"""

ONNX = """\
## Use

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
pixels = np.load("samples/reference.npz")["pixels_0"].astype(np.float32)  # ({height}, {width}, 3)
boxes, scores, class_ids, count = session.run(
    ["boxes", "scores", "class_ids", "count"], {{"images": pixels[np.newaxis]}}
)
print(boxes[0, : count[0]], scores[0, : count[0]], class_ids[0, : count[0]])
```"""


def text(metadata):
    """All sections of MODEL_CARD.md: metadata with its files -> str."""
    sections = (title, use, inputs, limits, proof, speed, training, card_text.contents)
    return "\n\n".join(section(metadata) for section in sections) + "\n"


def title(m):
    names = m["class_names"]
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    command = f"\n\nMade by `{m['command']}`." if m["command"] else ""
    shown = "![What it finds in pictures that it was not trained on](detections.png)"
    if m["samples"] == "none":
        shown = "No pictures are published: those in `samples/` show colours and noise."
    return (
        f"# {m['network']} as {m['artifact']}, a detector\n\n"
        f"Finds objects of {len(names)} classes ({listed}): Faster R-CNN on a deep residual "
        "network (He et al., *Deep Residual Learning for Image Recognition*, 2015, Sec. 4.3), "
        f"normalisation folded into its convolutions and weights frozen.{command}\n\n{shown}"
    )


def use(m):
    kind = m["artifact"].partition("-")[0]
    _, height, width, _ = m["interface"]["detect"]["inputs"]["images"]["shape"]
    return {"saved_model": SAVED_MODEL, "tflite": TFLITE, "onnx": ONNX}[kind].format(
        sample=next(name.partition("/")[2] for name in m["files"] if "samples/0" in name),
        height=height,
        width=width,
    )


def inputs(m):
    contract = m["input"]
    shorter, longer = contract["shorter_px"], contract["longer_px"]
    smoothed = "with" if contract["antialias"] else "without"
    _, height, width, _ = m["interface"]["detect"]["inputs"]["images"]["shape"]
    size = f"A picture's shorter side becomes {shorter} px, or less where the longer one would "
    size += f"exceed {longer} px ({contract['method']}, {smoothed} antialiasing)"
    if height:
        size += (
            f"; what is smaller than {height} x {width} is filled up with zeros, below and right"
        )
    own = ", of `detect_bytes` in the picture's own, as people see it"
    own = own if "detect_bytes" in m["interface"] else ""
    return (
        "## Input and output\n\n" + card_text.interface_table(m) + "\n\n"
        f"Pixels are RGB, 0-255, not scaled: the network itself subtracts its mean. {size}. A box "
        f"is (y1, x1, y2, x2), corners between pixels: of `detect` in the pixels given{own}. Best "
        "first; rows beyond `count` are zeros, their class -1." + card_text.operators(m)
    )


def limits(m):
    known = m["training"]["network"]
    lines = [
        "- It knows its classes and nothing else.",
        f"- {known['detections']} objects at most, of scores above {known['least_score']:g}; of "
        f"one class none that overlap by an IoU of more than {known['nms_iou']:g}.",
        "- Whoever sends pixels turns a photograph as its EXIF orientation says first.",
    ]
    if "detect_bytes" in m["interface"]:
        lines.append(
            "- `detect_bytes` reads JPEG, PNG, BMP, GIF (first frame) and WebP. A picture that "
            f"cannot be read, or claims more than {MAX_PIXELS:,} pixels, has `ok` false and a "
            "count of 0; the others of its batch are not touched. It turns photographs itself."
        )
    return "## Limits\n\n" + "\n".join(lines)


def proof(m):
    gate = m["gate"]
    rows = [
        f"| {way} | {found['pictures']} | {found['detections']} | {found['same']:.2%} "
        f"| {found['boxes_px']:.1e} px | {found['scores']:.1e} |"
        for way, found in m["parity"].items()
    ]
    return (
        f"## Compared with the trained network\n\nOn {m['parity_images']}. A picture is the same "
        "if both find as many objects of the same classes, in the same places with the same "
        "scores; `bytes` includes the artifact's own decoding and resizing.\n\n"
        "| way | pictures | detections | same | corners differ by | scores differ by |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Published because at least {gate['same']:.0%} were the same, corners to "
        f"{gate['boxes']:g} of a picture's longer side and scores to {gate['scores']:g} "
        f"({gate['reason']})."
    )


def speed(m):
    height, width = m["latency_size"]
    return (
        f"## Speed\n\n{m['latency']['picture_ms']:g} ms for a picture of {height} x {width}, on "
        f"the exporting machine ({m['machine']}), which may have been busy."
    )


def training(m):
    """As a classifier's; what the detector is cut from stands in a line of its own."""
    facts = m["training"]
    detector = dict(facts["network"])
    network = detector.pop("network")
    return card_text.training({"training": {**facts, "network": network, "detector": detector}})
