"""What lies beside an artifact: `metadata.json` for machines, `MODEL_CARD.md` for people."""

import dataclasses
import os
import pathlib
import platform
import time

import numpy as np

from export import check, command_line, parity, picture, samples
from export.card_text import text
from zoo import archive, files

CARD, LABELS, PICTURE = "MODEL_CARD.md", "labels.txt", "predictions.png"
SECONDS = 1.0  # to measure latency, for each batch size


@dataclasses.dataclass(frozen=True)
class Export:
    """One export, written and proven, about to be published."""

    classifier: object
    form: object
    loaded: object
    evidence: object
    proof: dict
    sample: samples.Samples


def write(directory, export):
    """Writes labels, example requests, picture, card and metadata; hashes every file last."""
    directory = pathlib.Path(directory)
    names = export.classifier.class_names
    if not export.classifier.headless:
        files.write_text(directory / LABELS, export.classifier.labels)
    if export.loaded.encoded:
        samples.write_requests(directory, export.sample.encoded[0])
    shown = export.sample.shown
    if shown and not export.classifier.headless:
        logits = export.loaded.pixels(np.float32(export.sample.pixels))
        picture.draw(directory / PICTURE, shown, parity.softmax(logits), names)

    record(directory, describe(export), text)


def record(directory, metadata, text):
    """Card and metadata, the metadata last, of the files that are there."""
    metadata["files"] = inventory(directory)
    files.write_text(directory / CARD, text(metadata))
    metadata["files"] = inventory(directory)
    files.write_json(directory / check.METADATA, metadata)


def describe(export):
    """All that is known of a classifier's artifact, as plain data."""
    classifier = export.classifier
    return {
        **common(classifier, export),
        "class_names": [] if classifier.headless else list(classifier.class_names),
        "parity_images": export.evidence.held_out.origin,
        "own_images": export.evidence.held_out.own,
        "calibration_images": getattr(export.evidence.calibration, "origin", None),
        "latency": latency(export.loaded, export.sample.pixels[: samples.FEWEST]),
    }


def common(network, export):
    """What is known of every artifact, whatever its network is for."""
    return {
        "format": check.FORMAT,
        "artifact": export.form.name,
        "network": network.model.name,
        "class_names": list(network.class_names),
        "input": dataclasses.asdict(network.contract),
        "interface": export.loaded.interface,
        "gate": dataclasses.asdict(export.form.gate),
        "parity": {way: dataclasses.asdict(one) for way, one in export.proof.items()},
        "samples": "pictures" if export.sample.shown else "none",
        "machine": machine(),
        "command": command_line.shown(),
        "versions": archive.versions(),
        "training": shareable(network.facts),
    }


def shareable(facts):
    """A manifest without the place of the data, which is nobody's business but the trainer's."""
    data = {name: value for name, value in facts.get("data", {}).items() if name != "data_dir"}
    return {**facts, "data": data} if facts else {}


def inventory(directory):
    """Every file of an artifact but the metadata itself: {path: {"sha256", "bytes"}}."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name != check.METADATA:
            found[name] = {"sha256": files.sha256(path), "bytes": path.stat().st_size}
    return found


def latency(loaded, pixels):
    """Median milliseconds of a call, by batch size."""
    run = loaded.probabilities or loaded.pixels
    found = {}
    for batch_size in (1, len(pixels)):
        found[f"batch_{batch_size}_ms"] = median_ms(run, np.float32(pixels[:batch_size]))
    return found


def median_ms(run, batch):
    """Milliseconds of a call, the median of a second's."""
    run(batch)  # the first call lays out the weights
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        run(batch)
        times.append(1000 * (time.perf_counter() - begin))
    return round(float(np.median(times)), 3)


def machine():
    """The processor in words, and how many of its cores this process may use."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            name = next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"
