"""Write, prove, publish: an artifact appears whole and proven under its version, or not at all."""

import contextlib
import dataclasses
import functools

import keras
import numpy as np
import tensorflow as tf

from export import card, parity, samples
from export.errors import ExportError
from zoo import disks, files, progress, resnet
from zoo.recursion import room_for

BATCH_SIZE = 32


def publish(classifier, form, evidence, output_dir, *, version=None, pictures=True):
    """Exports to `output_dir/N` with its card; returns that path and the proof, as `prove`.

    `version` is the next free number if not given. Without `pictures` none is published, and the
    samples show nothing. ExportError, and nothing published, where the artifact misses its gate on
    the held-out images.
    """
    if form.check_place:
        form.check_place(output_dir)
    images = evidence.held_out
    if classifier.headless:  # the largest of its features is no class
        images = dataclasses.replace(images, labels=None)
        form = dataclasses.replace(form, gate=dataclasses.replace(form.gate, top1=0.0))
    expected = source_answers(classifier, images.pixels)
    with version_directory(output_dir, version) as (temporary, target):
        with progress.stage(f"making {form.name}"):
            form.write(classifier, temporary, evidence)
        loaded = form.load(temporary)
        proof = prove(loaded, images, expected)
        missed = misses(proof, form.gate)
        if missed:
            if form.explain:
                missed.append(form.explain(temporary, classifier, images))
            raise ExportError(
                f"{form.name} is not the network it came from and is not published.\n"
                + "\n".join(missed)
            )
        contract = classifier.contract
        if pictures:
            source = functools.partial(source_answers, classifier)
            sample = samples.of_pictures(images, contract, source)
        else:
            sample = samples.of_nothing(contract, functools.partial(in_batches, loaded.pixels))
        samples.write(temporary, sample)
        card.write(temporary, card.Export(classifier, form, loaded, evidence, proof, sample))
    return target, proof


def prove(loaded, images, expected):
    """Compares by every way that an image can take -> {way: Comparison}.

    "pixels": prepared as in evaluation. "bytes": encoded as a client sends them, so what the
    artifact's own preparation changes shows here. "probabilities": the runtime's fast path where
    it does not show logits.
    """
    ways = {"pixels": (loaded.pixels, images.pixels, expected)}
    if loaded.encoded:
        ways["bytes"] = (loaded.encoded, images.encoded, expected)
    if loaded.probabilities:
        ways["probabilities"] = (loaded.probabilities, images.pixels, parity.softmax(expected))
    proof = {}
    for way, (run, inputs, target) in ways.items():
        try:
            proof[way] = parity.compare(target, in_batches(run, inputs), images.labels)
        except ValueError as error:
            raise ExportError(f"the artifact fails on {way}: {error}") from None
    return proof


def misses(proof, gate):
    """A sentence for each way and condition that misses; scores are held to top-1 alone."""
    found = []
    for way, comparison in proof.items():
        limits = dataclasses.replace(gate, largest=None, rms=None)
        for miss in parity.misses(comparison, limits if way == "probabilities" else gate):
            found.append(f"{way}: {miss} ({gate.reason})")
    return found


def source_answers(classifier, pixels):
    """Its logits, or its features where it has no head: (N, S, S, 3) -> (N, ...) numpy."""
    if not classifier.headless:
        return source_logits(classifier.model, pixels)
    headless = resnet.features(classifier.model, "pool")
    return source_logits(keras.Model(headless.input, headless.output["pool"]), pixels)


def source_logits(model, pixels):
    """The trained network's own answer, unfolded: (N, S, S, 3) -> (N, classes) numpy."""
    with room_for(len(model.layers)):
        run = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
        return in_batches(lambda images: run(tf.constant(images)).numpy(), pixels)


def in_batches(run, inputs):
    starts = range(0, len(inputs), BATCH_SIZE)
    starts = progress.over(starts, "comparing answers", len(inputs), BATCH_SIZE)
    return np.concatenate([run(inputs[start : start + BATCH_SIZE]) for start in starts])


@contextlib.contextmanager
def version_directory(output_dir, version=None):
    """Yields an empty directory and the path `output_dir/N` it gets if the block ends well.

    N is the next free number if not given, as TensorFlow Serving counts. ExportError if it is
    taken: a server may be reading it. Until then its name is no number, so that no server takes
    it; what killed exports left behind goes.
    """
    output_dir = files.make_directory(output_dir)
    files.sweep(output_dir)
    version = next_version(output_dir) if version is None else version
    target = output_dir / str(version)
    if target.exists():
        raise ExportError(f"{target} exists and is never overwritten: give another --version")
    temporary = files.temporary_name(target)
    temporary.mkdir()
    try:
        with disks.told(output_dir):
            yield temporary, target
            files.settle(temporary, target)  # fails if another process was first
    finally:
        files.remove(temporary)


def next_version(output_dir):
    taken = [int(path.name) for path in output_dir.iterdir() if path.name.isdigit()]
    return max(taken, default=0) + 1
