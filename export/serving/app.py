"""The routes of both protocols, their limits, and what answers behind them."""

import asyncio
import contextlib
import json
from concurrent import futures

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from export.serving import batches, infer, predict
from export.serving.model import cost
from export.serving.values import Refusal
from zoo.headers import MAX_PIXELS

BODY_SECONDS = 30  # for a client to send its request
ROOM = 8  # batches that may wait
BODIES = 8  # of the largest size, that may be in memory at once


class Service:
    """One model under one name, asked by way of its queues."""

    def __init__(self, model, name, *, max_bytes, max_batch):
        self.model, self.name = model, name
        self.max_bytes, self.max_batch = max_bytes, max_batch
        self.held = 0  # bytes of the requests under way

    @contextlib.asynccontextmanager
    async def running(self, _):
        """While it is entered, the queues are worked on: TensorFlow has a thread to itself."""
        with futures.ThreadPoolExecutor(1) as network, futures.ThreadPoolExecutor(2) as readers:
            self.readers = readers
            limits = dict(most=self.max_batch, room=ROOM * self.max_batch, dearest=MAX_PIXELS)
            self.queues = {
                signature: batches.Queue(run, network, **limits)
                for signature, run in self.model.signatures.items()
            }
            workers = [asyncio.create_task(queue.work()) for queue in self.queues.values()]
            try:
                yield
            finally:
                for worker in workers:
                    worker.cancel()

    async def predict(self, request):
        return await self.answer(request, predict.read, predict.write)

    async def infer(self, request):
        if "inference-header-content-length" in request.headers:
            raise Refusal("tensors beside the JSON are not read: expected all in the JSON")

        def write(call, outputs):
            return infer.write(call, outputs, self.name, self.model.version)

        return await self.answer(request, infer.read, write)

    async def answer(self, request, read, write):
        """Read, ask, write: what takes time is done beside the event loop."""
        self.check_name(request)
        async with self.body(request) as body:
            loop = asyncio.get_running_loop()
            call, costs = await loop.run_in_executor(self.readers, self.understood, body, read)
            try:
                rows = await self.queues[call.signature].ask(call.images, costs)
            except batches.FullError:
                raise Refusal("too many images wait: try again later", 503) from None
            return await loop.run_in_executor(self.readers, written, call, rows, write)

    def understood(self, body, read):
        call = read(body, self.model.interface)
        if len(call.images) > self.max_batch:
            raise Refusal(f"expected at most {self.max_batch} images, got {len(call.images)}", 413)
        return call, [cost(image) for image in call.images]

    def check_name(self, request):
        found = request.path_params
        if found.get("name") != self.name:
            raise Refusal(f"there is no such model here: expected {self.name!r}", 404)
        if found.get("version", self.model.version) != self.model.version:
            raise Refusal(f"there is no such version: expected {self.model.version}", 404)

    @contextlib.asynccontextmanager
    async def body(self, request):
        """Yields the request's bytes, and counts them until the block ends. Refusal."""
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                refusal = await self.fill(body, request)
            if refusal:
                raise refusal
            yield bytes(body)
        except TimeoutError:
            raise Refusal(f"the body did not come within {BODY_SECONDS} s", 408) from None
        except ClientDisconnect:
            raise Refusal("the client has gone") from None
        finally:
            self.held -= len(body)

    async def fill(self, body, request):
        """Reads the request; returns a Refusal if it is too large, or too much is held.

        Then the rest is read and dropped, within reason: who is still sending sees no answer.
        """
        refusal, dropped = None, 0
        if int(request.headers.get("content-length", 0)) > self.max_bytes:
            refusal = self.too_large()
            if "expect" in request.headers:
                return refusal
        async for part in request.stream():
            if refusal is None and len(body) + len(part) > self.max_bytes:
                refusal = self.too_large()
            if refusal is None and self.held + len(part) > BODIES * self.max_bytes:
                refusal = Refusal("too many requests at once: try again later", 503)
            if refusal is None:
                body += part
                self.held += len(part)
            else:
                dropped += len(part)
            if dropped > 8 * self.max_bytes:
                break
        return refusal

    def too_large(self):
        return Refusal(f"expected a body of at most {self.max_bytes:,} bytes", 413)


def written(call, rows, write):
    outputs = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return as_json(write(call, outputs))


def as_json(value, status=200, headers=None):
    content = json.dumps(value, allow_nan=False).encode()
    return Response(content, status, headers, "application/json")


def refused(_, error):
    headers = {"Retry-After": "1"} if error.status == 503 else None
    return as_json({"error": str(error)}, error.status, headers)


def unknown(_, error):
    return as_json({"error": error.detail}, error.status_code, error.headers)


def failed(_, error):
    return as_json({"error": f"the model failed: {type(error).__name__}"}, 500)


def said(value):
    """An endpoint that says always the same."""

    async def endpoint(request):
        return as_json(value)

    return endpoint


def build(service):
    """The Starlette application of a Service."""
    name, version, interface = service.name, service.model.version, service.model.interface

    def of_model(value):
        async def endpoint(request):
            service.check_name(request)
            return as_json(value)

        return endpoint

    status = of_model(predict.status(version))
    described = of_model(predict.metadata(name, version, interface))
    tensors = of_model(infer.metadata(name, version, interface))
    ready = of_model({"name": name, "ready": True})
    v1, v2 = "/v1/models/{name}", "/v2/models/{name}"
    routes = [
        Route("/v2", said({"name": "residual-zoo", "version": "0.1.0", "extensions": []})),
        Route("/v2/health/live", said({"live": True})),
        Route("/v2/health/ready", said({"ready": True})),
    ]
    for middle in ("", "/versions/{version}"):
        routes += [
            Route(f"{v1}{middle}:predict", service.predict, methods=["POST"]),
            Route(f"{v1}{middle}/metadata", described),
            Route(f"{v1}{middle}", status),
            Route(f"{v2}{middle}/infer", service.infer, methods=["POST"]),
            Route(f"{v2}{middle}/ready", ready),
            Route(f"{v2}{middle}", tensors),
        ]
    handlers = {Refusal: refused, HTTPException: unknown, Exception: failed}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=service.running)
