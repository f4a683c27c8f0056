"""Whether an artifact still is what it was when it was published.

Its records lie in it, so they say nothing of who made it: who changes a file can change its hash.
Its model runs only for who trusts it, or knows from elsewhere the hash of `metadata.json`.
"""

import json
import os
import pathlib
import stat

import numpy as np

from export import card, formats, images, parity, publish, samples
from export.classifier import ExportError
from export.detection import forms
from export.detection import parity as detection_parity
from export.detection import publish as detection_publish
from export.detection import samples as detection_samples
from zoo import files

KINDS = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def problems(directory):
    """Sentences, one for each file that is not as recorded; none if all is well. Runs nothing.

    ExportError if the records themselves cannot be read.
    """
    directory = pathlib.Path(directory)
    return foreign(directory) or changed_files(directory, read_metadata(directory)["files"])


def foreign(directory):
    """Sentences on what is neither a file nor a folder with something in it; nothing is opened."""
    found = []
    for folder, folders, names in os.walk(directory):
        path = pathlib.Path(folder)
        for name in (*folders, *names):
            inner = path / name
            mode = os.lstat(inner).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                kind = KINDS.get(stat.S_IFMT(mode), "a device")
                found.append(f"{inner.relative_to(directory).as_posix()} is {kind}, not a file")
        if not folders and not names and path != directory:
            found.append(f"{path.relative_to(directory).as_posix()} is an empty folder")
    return sorted(found)


def unknown(directory, hashes):
    """Sentences, one or none: on `metadata.json` if it has none of the hashes."""
    found = files.sha256(pathlib.Path(directory) / card.METADATA)
    if found in hashes:
        return []
    return [f"{card.METADATA} has sha256 {found}, expected {' or '.join(hashes[:2])}"]


def wrong_answers(directory):
    """Sentences on signatures and answers that are not as recorded. Runs the artifact's model."""
    directory = pathlib.Path(directory)
    metadata = read_metadata(directory)
    detects = metadata.get("kind") == "detector"
    form = (forms if detects else formats).find(metadata["artifact"])
    loaded = form.load(directory)
    found = []
    if loaded.interface != metadata["interface"]:
        found.append("its signatures are not those that were recorded")
    misses = missed_detections if detects else missed_classes
    return found + misses(directory, loaded, metadata["gate"])


def missed_classes(directory, loaded, gate):
    proof = answers(loaded, samples.read(directory))
    return publish.misses(proof, parity.Gate(**gate))


def missed_detections(directory, loaded, gate):
    stored, gate = detection_samples.read(directory), detection_parity.Gate(**gate)
    ways = ("pixels", "bytes") if loaded.encoded else ("pixels",)
    asked = {way: stored.asked[way] for way in ways}
    proof = detection_publish.prove(loaded, stored.pictures, asked, gate)
    return detection_publish.misses(proof, gate)


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


def summary(directory, checked):
    """What a person reads of an artifact in which nothing was wrong; `checked` in words."""
    metadata = read_metadata(pathlib.Path(directory))
    return (
        f"{metadata['network']} as {metadata['artifact']} is as published: "
        f"{len(metadata['files'])} files, {checked}"
    )
