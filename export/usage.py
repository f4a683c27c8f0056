"""How to call an artifact, by format: the first thing a reader of its card looks for."""

from zoo import sizes

SAVED_MODEL = """\
## Use

In Python, with TensorFlow alone:
```python
import tensorflow as tf

classify = tf.saved_model.load(".").signatures["serve_bytes"]
answer = classify(image_bytes=tf.constant([open("samples/{sample}", "rb").read()]))
print(answer["class_names"].numpy()[0], answer["scores"].numpy()[0])
```
From the shell, with what TensorFlow installs:
```
saved_model_cli show --dir . --all
saved_model_cli run --dir . --tag_set serve --signature_def serving_default \\
    --inputs 'images=samples/reference.npz[pixels]'
```
Served by TensorFlow Serving, whose REST request is `samples/request.json` (KServe's v1 protocol
takes the same). The folder above this one is what it watches, and `assets.extra` warms it up.
This command was not run by us:
```
docker run -p 8501:8501 -v "$(realpath ..):/models/{network}" -e MODEL_NAME={network} \\
    tensorflow/serving
curl -d @samples/request.json http://localhost:8501/v1/models/{network}:predict
```
`samples/request.v2.json` is the same request in the Open Inference Protocol, as MLServer and KServe
v2 take it once they run a SavedModel:
```
curl -d @samples/request.v2.json http://localhost:8080/v2/models/{network}/infer
```"""

TFLITE = """\
## Use

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("model.tflite").get_signature_runner("serving_default")
pixels = np.load("samples/reference.npz")["pixels"].astype(np.{dtype})  # (B, {height}, {width}, 3)
print(run(images=pixels)["probabilities"].argmax(axis=1))
```
Or with MediaPipe, which resizes, and finds the labels inside the file:
```python
import mediapipe as mp

classifier = mp.tasks.vision.ImageClassifier.create_from_model_path("model.tflite")
print(classifier.classify(mp.Image.create_from_file("samples/{sample}")).classifications)
```"""

ONNX = """\
## Use

```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
pixels = np.load("samples/reference.npz")["pixels"].astype(np.float32)  # (B, {height}, {width}, 3)
logits, probabilities = session.run(["logits", "probabilities"], {{"images": pixels}})
```"""


PAGE = """\
## Use

From any static server, this one say; then open http://localhost:8000:
```
python -m http.server --bind 127.0.0.1
```
`model.tflite` takes one image at a time, {height} x {width}, elsewhere too:
```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("model.tflite").get_signature_runner("serving_default")
pixels = np.load("samples/reference.npz")["pixels"][:1].astype(np.{dtype})
print(run(images=pixels)["probabilities"])
```"""


HEADLESS = {
    "saved_model": """\
classify = tf.saved_model.load(".").signatures["serve_bytes"]
answer = classify(image_bytes=tf.constant([open("samples/{sample}", "rb").read()]))
print(answer["features"])""",
    "tflite": """\
run = Interpreter("model.tflite").get_signature_runner("serving_default")
print(run(images=np.load("samples/reference.npz")["pixels"].astype(np.{dtype}))["features"])""",
    "onnx": """\
session = onnxruntime.InferenceSession("model.onnx")
pixels = np.load("samples/reference.npz")["pixels"].astype(np.float32)  # (B, {height}, {width}, 3)
(features,) = session.run(["features"], {{"images": pixels}})""",
}


def text(metadata):
    """The card's section on use."""
    kind = metadata["artifact"].partition("-")[0]
    sides = metadata["interface"]["serving_default"]
    height, width = sizes.of(metadata["input"]["image_size"])
    known = {"saved_model": SAVED_MODEL, "tflite": TFLITE, "onnx": ONNX, "page": PAGE}
    if not metadata["class_names"]:
        known = {name: f"## Use\n\n```python\n{code}\n```" for name, code in HEADLESS.items()}
    return known[kind].format(
        network=metadata["network"],
        height=height,
        width=width,
        dtype=sides["inputs"]["images"]["dtype"],
        sample=next(name.partition("/")[2] for name in metadata["files"] if "samples/0" in name),
    )
