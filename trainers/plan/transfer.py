"""Weights from a run or an import, for a run on other images: `--init_from=DIR`.

The network and its image preparation are the source's, so it sees pixels as it did when it was
trained; the classes are the data's.
"""

import dataclasses

from trainers.plan.adopt import OURS
from zoo import archive, sizes
from zoo.surgery import head

STAGES = {None: "", "none": "", "backbone": "the backbone"}


class TransferError(ValueError):
    """A source that this run cannot start from."""


def contract(run):
    """The source's image preparation; other sizes keep the share that the crop has of the side.

    The pictures are turned upright, which is no trait of a network: those of now are to be.
    """
    source = archive.load_manifest(run.init_from).input
    size = run.recipe.image_size or source.image_size
    shorter = sizes.shorter(size)
    proportional = round(source.resize_px * shorter / sizes.shorter(source.image_size))
    resize_px = max(shorter, run.recipe.resize_px or proportional)
    return dataclasses.replace(source, image_size=size, resize_px=resize_px, orientation="exif")


def network(run, num_classes, image_size):
    """The source's network for so many classes."""
    source = archive.load_manifest(run.init_from).network
    changed = dict(num_classes=num_classes, image_size=image_size, batch_norm=run.recipe.batch_norm)
    taken = dict(name=run.model, shortcut=run.shortcut, stride=run.stride, mean=run.recipe.mean)
    for field in OURS.values():
        if getattr(source, field) != taken[field]:
            raise TransferError(
                f"{run.init_from} has another network than this run started from: its {field} is "
                f"{getattr(source, field)!r}, expected {taken[field]!r}"
            )
    return dataclasses.replace(source, **changed)


def freeze(model, recipe):
    """Makes constant what the recipe says."""
    head.freeze(model, recipe.freeze or "none", bool(recipe.freeze_bn))


def rates(model, recipe):
    """The share of the learning rate of each trainable variable, None if all have all of it."""
    if recipe.backbone_rate in (None, 1):
        return None
    ours = {v.path for v in model.get_layer(head.HEAD).trainable_variables}
    return [1.0 if v.path in ours else recipe.backbone_rate for v in model.trainable_variables]


def begin(model, run, class_names):
    """Fills the network at step 0; the head too, if the source has the same classes."""
    source, manifest = archive.load(run.init_from)
    head.fill(model, source, head.places(manifest.class_names, class_names))


def origin(run, class_names):
    """Where the weights came from, for the manifest."""
    manifest = archive.load_manifest(run.init_from)
    return {
        "run_dir": str(run.init_from),
        "network": manifest.network.name,
        "step": manifest.step,
        "data": manifest.data.get("name") or manifest.data.get("imported", {}).get("file"),
        "sha256": manifest.weights[archive.WEIGHTS]["sha256"],
        "head": "new" if head.places(manifest.class_names, class_names) is None else "kept",
    }


def describe(run, class_names):
    """For a person: from where, with which head, and what of it is trained."""
    found, recipe = origin(run, class_names), run.recipe
    kept = {"kept": "its head kept", "new": f"a new head for {len(class_names)} classes"}
    frozen = [
        *(
            [stages]
            if (stages := STAGES.get(recipe.freeze, f"all through {recipe.freeze}"))
            else []
        ),
        *(["batch normalisation"] if recipe.freeze_bn else []),
    ]
    parts = [
        f"starting from {found['network']} in {found['run_dir']} ({found['data']}, step "
        f"{found['step']:,})",
        kept[found["head"]],
        f"frozen {' and '.join(frozen) or 'nothing'}",
    ]
    if recipe.backbone_rate not in (None, 1) and recipe.freeze != "backbone":
        parts.append(f"the backbone at {recipe.backbone_rate:g} of the learning rate")
    return ", ".join(parts)
