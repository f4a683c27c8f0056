"""Whether an artifact's model still answers as it did when it was published.

It is run, so only for who trusts it, or knows from elsewhere the hash of its `metadata.json`.
"""

import dataclasses
import pathlib

import numpy as np

from export import check, formats, images, parity, publish, samples
from export.detection import forms, rechecking
from export.detection import parity as detection
from export.errors import ExportError
from zoo import records


def wrong_answers(directory):
    """Sentences on signatures and answers that are not as recorded. Runs the artifact's model."""
    directory = pathlib.Path(directory)
    metadata = check.read_metadata(directory)
    detects = metadata.get("kind") == "detector"
    form = (forms if detects else formats).find(metadata["artifact"])
    try:
        gate = gate_of(detection.Gate if detects else parity.Gate, metadata["gate"])
        loaded = form.load(directory)
        found = []
        if loaded.interface != metadata["interface"]:
            found.append("its signatures are not those that were recorded")
        if detects:
            return found + rechecking.misses(directory, loaded, gate)
        *_, height, width, _ = loaded.interface["serving_default"]["inputs"]["images"]["shape"]
        stored = samples.read(directory, (height, width))
        return found + publish.misses(answers(loaded, stored), gate)
    except ExportError as error:
        return [str(error)]


def gate_of(kind, fields):
    """The gate that the records name. ExportError unless it is one."""
    try:
        gate = kind(**fields)
        for field in dataclasses.fields(kind):
            text, value = field.name == "reason", fields.get(field.name, field.default)
            kinds = str if text else (int, float) + (type(None),) * (field.default is None)
            records.of_type(value, kinds, f"gate.{field.name}")
    except (TypeError, ValueError) as error:
        raise ExportError(f"{check.METADATA} is not an artifact's: {str(error)[:120]}") from None
    return gate


def answers(loaded, stored):
    """The stored requests put to the artifact again -> {way: Comparison}, as `publish.prove`."""
    pixels = images.Images(np.float32(stored.pixels), stored.encoded, None, "")
    proof = publish.prove(formats.without_bytes(loaded), pixels, stored.logits)
    if loaded.encoded:
        found = publish.in_batches(loaded.encoded, stored.encoded)
        proof["bytes"] = parity.compare(stored.encoded_logits, found)
    return proof
