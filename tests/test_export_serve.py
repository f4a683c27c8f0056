"""`export.serve` in a process of its own, asked by Python's own client, and its queue by itself."""

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from concurrent import futures

import export_networks
import numpy as np
import programs
import pytest

from benchmarks.serving import storm
from export import formats, images, publish
from export.serving import batches

MAX_BYTES = 10**6


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    source = export_networks.digits_classifier()
    evidence = images.Evidence(images.of_run(source, "validation", 40))
    folder = tmp_path_factory.mktemp("served") / "digits"
    return publish.publish(source, formats.find("saved_model"), evidence, folder, version=3)[0]


@contextlib.contextmanager
def serving(directory, *options):
    """(process, port) of a server that has loaded its model; it is stopped at the end."""
    command = export_networks.program("export.serve", directory, "--port=0", *options)
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with subprocess.Popen(command, **pipes) as server:
        try:
            first, second = server.stdout.readline(), server.stdout.readline()
            if not second:
                raise RuntimeError(server.stderr.read())
            assert first.startswith("serving digits, version 3: resnet8, 10 classes")
            yield server, int(second.partition("127.0.0.1:")[2].partition("/")[0])
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def server(artifact):
    """The port; the folder of versions is given, as in the README."""
    with serving(artifact.parent, "--max_body_mb=1", "--max_batch=16") as (process, port):
        yield port
        process.terminate()
        errors = process.stderr.read()
        assert process.wait(30) == -signal.SIGTERM
    assert errors == ""


def ask(port, path, body=None):
    """(status, the answer's JSON) by GET, or by POST of bytes or of a value as JSON."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def stored(artifact):
    with np.load(artifact / "samples" / "reference.npz") as found:
        return found["pixels"], found["logits"]


PREDICT, INFER = "/v1/models/digits:predict", "/v2/models/digits/infer"


def test_the_example_requests_get_the_networks_answer(server, artifact):
    logits = stored(artifact)[1][0]
    body = (artifact / "samples" / "request.json").read_bytes()
    status, answer = ask(server, PREDICT, body)
    (one,) = answer["predictions"]
    assert status == 200 and one["ok"] is True
    np.testing.assert_allclose(one["logits"], logits, atol=1e-4)
    assert one["class_names"][0] == export_networks.NAMES[logits.argmax()]
    body = (artifact / "samples" / "request.v2.json").read_bytes()
    status, answer = ask(server, "/v2/models/digits/versions/3/infer", body)
    outputs = {x["name"]: x for x in answer["outputs"]}
    assert status == 200 and (answer["model_name"], answer["model_version"]) == ("digits", "3")
    assert outputs["logits"]["shape"] == [1, 10] and outputs["logits"]["datatype"] == "FP32"
    np.testing.assert_allclose(outputs["logits"]["data"], logits, atol=1e-4)
    assert outputs["class_names"]["data"] == one["class_names"]
    assert outputs["class_names"]["datatype"] == "BYTES"


def test_pixels_in_each_layout(server, artifact):
    """Rows, named rows, columns, named columns; flat and nested tensors, any number type."""
    pixels, logits = (array[:3] for array in stored(artifact))
    rows = pixels.tolist()
    for body in (
        {"instances": rows},
        {"instances": [{"images": row} for row in rows], "signature_name": "serving_default"},
    ):
        found = [one["logits"] for one in ask(server, PREDICT, body)[1]["predictions"]]
        np.testing.assert_allclose(found, logits, atol=1e-4)
    for given in (rows, {"images": rows}):
        answer = ask(server, PREDICT, {"inputs": given})[1]["outputs"]
        np.testing.assert_allclose(answer["logits"], logits, atol=1e-4)
        assert answer["class_ids"] == logits.argmax(axis=1).tolist()
    for datatype, data in (("FP32", rows), ("UINT8", pixels.ravel().tolist())):
        tensor = {"name": "images", "datatype": datatype, "shape": list(pixels.shape), "data": data}
        wanted = [{"name": "logits"}]
        status, answer = ask(server, INFER, {"id": "a", "inputs": [tensor], "outputs": wanted})
        assert status == 200 and answer["id"] == "a"
        assert [x["name"] for x in answer["outputs"]] == ["logits"]
        np.testing.assert_allclose(answer["outputs"][0]["data"], logits.ravel(), atol=1e-4)


def test_what_a_client_asks_first(server):
    status = {"error_code": "OK", "error_message": ""}
    assert ask(server, "/v1/models/digits") == (
        200,
        {"model_version_status": [{"version": "3", "state": "AVAILABLE", "status": status}]},
    )
    signatures = ask(server, "/v1/models/digits/metadata")[1]["metadata"]["signature_def"]
    images_ = signatures["signature_def"]["serving_default"]["inputs"]["images"]
    assert images_["dtype"] == "DT_FLOAT"
    assert [d["size"] for d in images_["tensor_shape"]["dim"]] == ["-1", "8", "8", "3"]
    model = ask(server, "/v2/models/digits")[1]
    assert model["versions"] == ["3"]
    assert {"name": "image_bytes", "datatype": "BYTES", "shape": [-1]} in model["inputs"]
    assert ask(server, "/v2/models/digits/ready") == (200, {"name": "digits", "ready": True})
    assert ask(server, "/v2/health/live") == (200, {"live": True})


def test_status_and_metadata_are_tensorflow_servings_messages(server):
    """Parsed by its own definitions, which refuse a field that they do not know."""
    from google.protobuf import json_format
    from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

    status = get_model_status_pb2.GetModelStatusResponse()
    json_format.ParseDict(ask(server, "/v1/models/digits")[1], status)
    (version,) = status.model_version_status
    assert version.version == 3 and version.state == version.AVAILABLE
    answer = ask(server, "/v1/models/digits/metadata")[1]
    assert answer["model_spec"] == {"name": "digits", "signature_name": "", "version": "3"}
    signatures = get_model_metadata_pb2.SignatureDefMap()
    json_format.ParseDict(answer["metadata"]["signature_def"], signatures)
    image_bytes = signatures.signature_def["serve_bytes"].inputs["image_bytes"]
    assert image_bytes.dtype == 7  # DT_STRING of types.proto
    assert [side.size for side in image_bytes.tensor_shape.dim] == [-1]


def tensor(**changes):
    one = {"name": "image_bytes", "datatype": "BYTES", "shape": [1], "data": ["AAAA"]}
    return {"inputs": [{**one, **changes}]}


DEEP = b'{"instances":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        (PREDICT, b"", 400, "not JSON"),
        (PREDICT, b"\xff\xfe{}", 400, "not JSON"),
        (PREDICT, DEEP, 400, "not JSON"),
        (PREDICT, [], 400, "a JSON object"),
        (PREDICT, {}, 400, '"instances" or "inputs"'),
        (PREDICT, {"instances": []}, 400, "at least one image"),
        (PREDICT, {"instances": [1], "inputs": [1]}, 400, "not both"),
        (PREDICT, {"instances": [1], "signature_name": "features"}, 404, "serving_default"),
        (PREDICT, {"instances": [1], "signature_name": []}, 404, "serving_default"),
        (PREDICT, {"instances": [[1, [2]]]}, 400, "unequal lengths"),
        (PREDICT, {"instances": [["a"]]}, 400, "expected numbers"),
        (PREDICT, {"instances": [[[[0, 0, 0]]]]}, 400, "8 x 8 x 3, got 1 x 1 x 3"),
        (PREDICT, b'{"instances": [NaN]}', 400, "NaN is no number"),
        (PREDICT, {"inputs": np.full((1, 8, 8, 3), 1e300).tolist()}, 400, "finite"),
        (PREDICT, {"inputs": {"pixels": []}}, 400, "the one input 'images'"),
        (
            PREDICT,
            {"signature_name": "serve_bytes", "instances": [{"b64": "%%"}]},
            400,
            "not base64",
        ),
        (PREDICT, {"signature_name": "serve_bytes", "instances": ["AAAA"]}, 400, '"b64"'),
        (PREDICT, {"inputs": np.zeros((17, 8, 8, 3), int).tolist()}, 413, "at most 16 images"),
        (PREDICT, b" " * (MAX_BYTES + 1), 413, "at most 1,000,000 bytes"),
        (INFER, None, 405, "Method Not Allowed"),
        ("/v1/models/digits/versions/1:predict", {}, 404, "version"),
        ("/v1/models/other:predict", {}, 404, "no such model"),
        ("/nowhere", None, 404, "Not Found"),
        (INFER, {}, 400, "one tensor"),
        (INFER, tensor(name="x"), 400, "image_bytes"),
        (INFER, tensor(name=[]), 400, "image_bytes"),
        (INFER, tensor(datatype="FP32"), 400, "BYTES"),
        (INFER, tensor(shape=[2]), 400, "shape"),
        (INFER, tensor(shape=[True]), 400, "whole numbers"),
        (INFER, tensor(shape=[1] * 100), 400, "whole numbers"),
        (INFER, tensor(data=[1]), 400, "b64"),
        (INFER, tensor(data=None), 400, '"data"'),
        (INFER, {**tensor(), "outputs": [{"name": "x"}]}, 400, "outputs"),
        (INFER, {**tensor(), "outputs": 3}, 400, "outputs"),
        (
            INFER,
            tensor(name="images", datatype="FP32", shape=[1, 8, 8, 3], data=[0]),
            400,
            "1 values",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(server, path, body, status, sentence):
    found, answer = ask(server, path, body)
    assert (found, list(answer)) == (status, ["error"])
    assert sentence in answer["error"] and len(answer["error"]) <= 300


def test_a_storm_loses_nothing_and_gets_nothing_wrong(server, artifact):
    """The benchmark's clients for two seconds: every kind of request, each answer compared."""
    maker = storm.Maker(artifact, "digits", MAX_BYTES)
    tally = storm.rage(("127.0.0.1", server), maker, clients=8, seconds=2)
    assert tally.lost == [] and tally.wrong == []
    assert tally.answers["a broken image among good"] and tally.answers["oversized"]


def test_what_was_taken_is_answered_before_the_end(artifact):
    """SIGINT in the middle of a request: the rest of it is read, the answer comes, then the end."""
    body = (artifact / "samples" / "request.json").read_bytes()
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with serving(artifact.parent) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(head + body[:50])
            ask(port, "/v2/health/live")  # so the head has been read
            process.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            client.sendall(body[50:])
            answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200") and b'"logits"' in answer
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr.read() == ""


def test_a_server_that_cannot_be_is_one_sentence(artifact, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words, sentence in (
            ([artifact, f"--port={port}"], "Address already in use; expected"),
            ([tmp_path, "--port=0"], "holds no artifact: expected metadata.json"),
        ):
            done = programs.run("export.serve", *words)
            assert done.returncode == 1 and done.stdout == ""
            assert sentence in done.stderr and done.stderr.count("\n") == 1


def test_a_damaged_or_foreign_artifact_is_not_served(artifact, tmp_path):
    from export.errors import ExportError
    from export.serving import model

    damaged = shutil.copytree(artifact, tmp_path / "a" / "1")
    (damaged / "labels.txt").write_text("other\n")
    assert model.newest(tmp_path / "a") == damaged
    with pytest.raises(ExportError, match="not as it was published: labels.txt was changed"):
        model.load(damaged)
    shutil.copytree(artifact, tmp_path / "a" / "12")
    shutil.copytree(artifact, tmp_path / "a" / "2")
    (tmp_path / "a" / "99").mkdir()  # no artifact in it
    assert model.newest(tmp_path / "a").name == "12"
    assert model.newest(damaged) == damaged


def queue_of(run, **limits):
    limits = {"most": 4, "room": 8, "dearest": 100} | limits
    return batches.Queue(run, futures.ThreadPoolExecutor(1), **limits)


def test_a_queue_batches_what_waits_and_gives_each_its_own():
    seen, gate = [], threading.Event()

    def run(images):
        gate.wait(10)
        seen.append(images)
        return [10 * image for image in images]

    async def scene():
        queue = queue_of(run)
        worker = asyncio.create_task(queue.work())
        first = asyncio.create_task(queue.ask([0], [1]))
        await asyncio.sleep(0.05)  # it is under way
        gone = asyncio.create_task(queue.ask([9], [1]))
        others = [asyncio.create_task(queue.ask([i, i + 1], [1, 60])) for i in (1, 3)]
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(batches.FullError):
            await queue.ask([0] * 4, [1] * 4)
        gate.set()
        assert await first == [0]
        assert await asyncio.gather(*others) == [[10, 20], [30, 40]]
        worker.cancel()

    asyncio.run(scene())
    # One image, then what costs 100 at most together: 1 + 60 + 1, and the last that costs 60.
    assert seen == [[0], [1, 2, 3], [4]]


def test_a_failing_batch_fails_who_asked_and_the_queue_goes_on():
    def run(images):
        if "bad" in images:
            raise ValueError("bad")
        return images

    async def scene():
        queue = queue_of(run)
        worker = asyncio.create_task(queue.work())
        with pytest.raises(ValueError, match="bad"):
            await queue.ask(["good", "bad"], [1, 1])
        assert await queue.ask(["good"], [1]) == ["good"]
        worker.cancel()

    asyncio.run(scene())
