"""What `trainers.explain` does: pictures, or a run's worst mistakes, with their maps, as files."""

import dataclasses
import pathlib
import re

import numpy as np
import tensorflow as tf

from trainers.data import stream
from trainers.judging import figures, grad_cam, pictures, scores
from trainers.plan import images
from zoo import archive, disks, files

LISTING = "explain.json"
SIDE = 2.5  # inches of a picture
PLAIN = re.compile(r"[^\w.-]+")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What of which network a person wants explained: the `top` likeliest classes, or `label`."""

    run_dir: str
    weights: str
    layer: str | None
    top: int
    label: str | None
    output_dir: pathlib.Path


def of_pictures(asked, paths):
    """A drawing for each file: yields (file, Explained or None, sentence)."""
    model, manifest = archive.load(asked.run_dir, asked.weights)
    explain = grad_cam.mapper(model, asked.layer)
    label = number_of(asked.label, manifest)

    def choose(_, row):
        return np.argsort(-row, kind="stable")[: asked.top] if label is None else [label]

    listed = []
    for file in pictures.find(paths):
        try:
            if not isinstance(file, str):
                raise pictures.PictureError(file.error)
            image = pictures.read(file, manifest.input)
        except pictures.PictureError as error:
            yield getattr(file, "file", file), None, str(error)
            continue
        (found,) = grad_cam.explained(explain, image[None], choose)
        listed.append(draw(asked, len(listed) + 1, file, found, manifest.class_names))
        yield file, found, listed[-1]["picture"]
    write_listing(asked, listed)


def of_mistakes(asked, other, split, limit, count):
    """A drawing for each of the worst mistakes: yields (file, Explained, its picture)."""
    model, manifest = archive.load(asked.run_dir, asked.weights)
    explain = grad_cam.mapper(model, asked.layer)
    source = images.source_of(manifest, split, other, asked.run_dir)
    with stream.unreadable_named():
        look = scores.Look(limit=limit)
        judged = scores.of_network(model, manifest, source, look, tf.distribute.get_strategy())
    mistakes = figures.worst(judged, source)[:count]
    found = grad_cam.of_mistakes(explain, source, mistakes, manifest.input)
    listed = []
    for mistake, each in zip(mistakes, found, strict=True):
        file = mistake["file"] or f"{source.split}/{mistake['index']}"
        name = f"is {mistake['label']}"
        listed.append(draw(asked, len(listed) + 1, file, each, manifest.class_names, name))
        yield file, each, listed[-1]["picture"]
    write_listing(asked, listed)


def number_of(label, manifest):
    """The class' number; ExplanationError names a few that there are."""
    if label is None or label in manifest.class_names:
        return None if label is None else manifest.class_names.index(label)
    some = ", ".join(manifest.class_names[:8])
    raise grad_cam.ExplanationError(
        f"--label: expected one of the network's {len(manifest.class_names):,} classes ({some:.150}"
        f"{' ...' * (len(manifest.class_names) > 8)}), got {label!r:.40}"
    )


def draw(asked, number, file, found, class_names, label=""):
    """Writes one picture and tells of it: -> a dict for JSON."""
    name = f"{number:03}_{PLAIN.sub('_', pathlib.PurePath(file).stem)[:60]}.png"
    with disks.told(asked.output_dir):
        files.make_directory(asked.output_dir)
        place = asked.output_dir / name
        grad_cam.draw(place, [found], class_names, [label or pathlib.PurePath(file).name], SIDE)
    classes = [
        {"class": class_names[label], "probability": probability}
        for label, probability in zip(found.classes, found.probabilities, strict=True)
    ]
    return {"file": file, "picture": name, "explained": classes}


def write_listing(asked, listed):
    if listed:
        with disks.told(asked.output_dir):
            files.write_json(asked.output_dir / LISTING, listed)
