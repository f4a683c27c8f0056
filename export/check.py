"""Whether an artifact still is what it was when it was published."""

import json
import pathlib

import numpy as np

from export import card, formats, images, parity, publish, samples
from export.classifier import ExportError


def problems(directory):
    """Sentences, one for each thing that is not as recorded; none if all is well.

    ExportError if the records themselves cannot be read. Answers are compared only while the
    files are the published ones: a changed model should not be run.
    """
    directory = pathlib.Path(directory)
    metadata = read_metadata(directory)
    found = changed_files(directory, metadata["files"])
    if found:
        return found
    form = formats.find(metadata["artifact"])
    loaded = form.load(directory)
    if loaded.interface != metadata["interface"]:
        found.append("its signatures are not those that were recorded")
    gate = parity.Gate(**metadata["gate"])
    return found + publish.misses(answers(loaded, samples.read(directory)), gate)


def read_metadata(directory):
    path = directory / card.METADATA
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        version = metadata["format"]
    except FileNotFoundError:
        raise ExportError(
            f"{directory} holds no artifact: expected {card.METADATA} in it"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} is not an artifact's metadata: {error!r}") from None
    if version != card.FORMAT:
        raise ExportError(f"{path} has format {version}, this program reads {card.FORMAT}")
    return metadata


def changed_files(directory, recorded):
    present = card.inventory(directory)
    found = [f"{name} is missing" for name in recorded if name not in present]
    found += [f"{name} was added" for name in present if name not in recorded]
    for name in recorded.keys() & present.keys():
        if recorded[name] != present[name]:
            found.append(
                f"{name} was changed: sha256 {present[name]['sha256']}, "
                f"recorded {recorded[name]['sha256']}"
            )
    return sorted(found)


def answers(loaded, stored):
    """The stored requests put to the artifact again -> {way: Comparison}, as `publish.prove`."""
    pixels = images.Images(np.float32(stored.pixels), stored.encoded, None, "")
    proof = publish.prove(formats.without_bytes(loaded), pixels, stored.logits)
    if loaded.encoded:
        found = publish.in_batches(loaded.encoded, stored.encoded)
        proof["bytes"] = parity.compare(stored.encoded_logits, found)
    return proof


def summary(directory):
    metadata = read_metadata(pathlib.Path(directory))
    return (
        f"{metadata['network']} as {metadata['artifact']} is as published: "
        f"{len(metadata['files'])} files, signatures and answers"
    )
