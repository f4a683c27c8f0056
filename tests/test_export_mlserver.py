"""A real model server serves SavedModels: MLServer, over REST and gRPC, on this machine alone.

MLServer pins packages that are not ours, so it lives in a virtual environment of its own: the one
whose interpreter MLSERVER_PYTHON names, or else `.venv-serving`, which `make test` makes.
"""

import base64
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

import export_networks
import numpy as np
import pytest
import small_detectors
import tensorflow as tf

import zoo
from export import formats, images, publish
from export.classifier import Classifier
from export.detection import detector, graph, pictures
from export.formats import saved_model
from zoo.detection import detect

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_SECONDS = 120
ROUNDING = 5e-6  # of the largest logit: as measured, see export.parity

RUNTIME = """
import tensorflow as tf
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec, StringCodec
from mlserver.types import InferenceResponse


class SavedModel(MLModel):
    async def load(self):
        signatures = tf.saved_model.load(self.settings.parameters.uri).signatures
        detects = "detect_bytes" in signatures
        self.serve = signatures["detect_bytes" if detects else "serve_bytes"]
        return True

    async def predict(self, payload):
        encoded = self.decode(payload.inputs[0], default_codec=Base64Codec)
        answer = {k: v.numpy() for k, v in self.serve(image_bytes=tf.constant(encoded)).items()}
        names = [name.decode() for name in answer.pop("class_names").ravel()]
        outputs = [StringCodec.encode_output("class_names", names)]
        outputs += [NumpyCodec.encode_output(name, value) for name, value in answer.items()]
        return InferenceResponse(model_name=self.name, outputs=outputs)
"""

GRPC_CLIENT = """
import json, sys
import grpc
from mlserver.grpc import dataplane_pb2 as pb, dataplane_pb2_grpc

stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(sys.argv[1]))
content = [open(path, "rb").read() for path in sys.argv[2:]]
request = pb.ModelInferRequest(model_name="digits")
image_bytes = request.inputs.add(name="image_bytes", datatype="BYTES", shape=[len(content)])
image_bytes.contents.bytes_contents.extend(content)
answer = {x.name: x for x in stub.ModelInfer(request).outputs}
print(json.dumps({
    "class_ids": list(answer["class_ids"].contents.int64_contents),
    "ok": list(answer["ok"].contents.bool_contents),
    "logits": list(answer["logits"].contents.fp32_contents),
}))
"""


@pytest.fixture(scope="module")
def python():
    """An interpreter that has MLServer and TensorFlow."""
    chosen = os.environ.get("MLSERVER_PYTHON")
    folder = ROOT / ".venv-serving"
    assert chosen or (folder / "installed").exists(), "run: make .venv-serving/installed"
    return chosen or str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def source():
    """Random weights serve as well as trained ones."""
    model = export_networks.randomised(zoo.build("resnet8", image_size=8))
    facts = {"data": {"name": "digits", "data_dir": None, "seed": 0}}
    return Classifier(model, export_networks.DIGITS, export_networks.NAMES, facts)


@pytest.fixture(scope="module")
def artifact(source, tmp_path_factory):
    evidence = images.Evidence(images.of_run(source, "validation", 16))
    folder = tmp_path_factory.mktemp("served")
    return publish.publish(source, formats.find("saved_model"), evidence, folder)[0]


@pytest.fixture(scope="module")
def trained_detector(tmp_path_factory):
    return detector.from_run(small_detectors.save_run(tmp_path_factory.mktemp("detector")))


@pytest.fixture(scope="module")
def detecting(trained_detector, tmp_path_factory):
    """A detector's SavedModel."""
    folder = tmp_path_factory.mktemp("detecting")
    signatures = graph.signatures(trained_detector)
    saved_model.save(folder, tf.Module(), signatures, trained_detector.labels)
    return folder


@pytest.fixture(scope="module")
def ports(python, artifact, detecting, tmp_path_factory):
    """REST and gRPC ports of a running server; it is stopped at the end."""
    folder = tmp_path_factory.mktemp("mlserver")
    rest, grpc, metrics = free_ports(3)
    settings = {"host": "127.0.0.1", "http_port": rest, "grpc_port": grpc, "parallel_workers": 0}
    settings |= {"metrics_port": metrics, "debug": False}
    (folder / "runtime.py").write_text(RUNTIME)
    (folder / "settings.json").write_text(json.dumps(settings))
    for name, directory in (("digits", artifact), ("objects", detecting)):
        model = {"name": name, "implementation": "runtime.SavedModel"}
        model["parameters"] = {"uri": str(directory)}
        (folder / name).mkdir()
        (folder / name / "model-settings.json").write_text(json.dumps(model))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [pathlib.Path(python).with_name("mlserver"), "start", "."],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_ready(server, rest, folder / "log")
        yield rest, grpc
    finally:
        server.terminate()
        server.wait(30)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until_ready(server, port, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            for name in ("digits", "objects"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/{name}/ready").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    raise RuntimeError(f"MLServer did not start:\n{log.read_text()[-4000:]}")


def expected_logits(source, artifact, count):
    import PIL.Image

    paths = sorted((artifact / "samples").glob("0*.png"))[:count]
    pixels = np.float32([np.asarray(PIL.Image.open(path)) for path in paths])
    return paths, np.array(source.model(pixels))


def asked(port, name, body):
    """REST's answer: {output: its tensor}."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v2/models/{name}/infer",
        body,
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return {x["name"]: x for x in json.load(answer)["outputs"]}


@pytest.mark.slow  # starts a server
def test_rest_answers_the_example_request(ports, source, artifact):
    """The very file that lies beside the model, sent as it is."""
    body = (artifact / "samples" / "request.v2.json").read_bytes()
    outputs = asked(ports[0], "digits", body)
    _, logits = expected_logits(source, artifact, 1)
    np.testing.assert_allclose(outputs["logits"]["data"], logits[0], atol=ROUNDING * logits.max())
    assert outputs["class_names"]["data"][0] == export_networks.NAMES[logits[0].argmax()]
    assert outputs["ok"]["data"] == [True]


@pytest.mark.slow
def test_rest_answers_with_the_objects_of_a_detector(ports, trained_detector):
    """Of a picture as a client sends it, and of one that is none."""
    row = pictures.of_run(trained_detector, 1).rows[0]
    data = [base64.b64encode(content).decode() for content in (row.encoded, b"no picture")]
    tensor = {"name": "image_bytes", "datatype": "BYTES", "shape": [2], "data": data}
    body = {"inputs": [tensor | {"parameters": {"content_type": "base64"}}]}
    outputs = asked(ports[0], "objects", json.dumps(body).encode())
    found, *_ = detect.detecting(*small_detectors.network())(
        tf.constant(row.pixels[None]), tf.constant([row.pixels.shape[:2]])
    )
    (count,) = found.count.numpy()
    assert outputs["count"]["data"] == [count, 0] and count > 1
    assert outputs["ok"]["data"] == [True, False]
    rows = {name: np.reshape(x["data"], (2, -1))[0] for name, x in outputs.items()}
    np.testing.assert_array_equal(rows["class_ids"][:count], found.classes[0, :count])
    np.testing.assert_allclose(rows["scores"], found.scores[0], atol=1e-4)
    height, width = np.array(row.original) / row.pixels.shape[:2]
    boxes = np.array(found.boxes[0]) * [height, width, height, width]
    np.testing.assert_allclose(rows["boxes"].reshape(-1, 4), boxes, atol=1e-2)


@pytest.mark.slow
def test_grpc_answers_a_batch_with_a_bad_image(ports, source, artifact, python, tmp_path):
    """By MLServer's own client stubs, in its own environment."""
    paths, logits = expected_logits(source, artifact, 5)
    (tmp_path / "bad").write_bytes(b"not an image")
    done = subprocess.run(
        [python, "-c", GRPC_CLIENT, f"127.0.0.1:{ports[1]}", *paths, tmp_path / "bad"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] == [True] * 5 + [False]
    assert answer["class_ids"] == [*logits.argmax(axis=1), -1]
    np.testing.assert_allclose(answer["logits"][:50], logits.ravel(), atol=ROUNDING * logits.max())
