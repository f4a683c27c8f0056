"""A run's own images, as its `split.json` names them, or a sentence that says what has changed."""

import dataclasses
import shlex
import sys

from trainers.data import sources
from trainers.data import split as splits
from trainers.data.sources import folder
from trainers.data.sources.listing import Picture

# Characters in a sentence, of which program.LONGEST bounds all.
LONGEST_NAME, LONGEST_PATH, LONGEST_FLAG = 16, 30, 80


@dataclasses.dataclass(frozen=True)
class Changes:
    """Names of pictures that are gone, new, or have other contents than they had."""

    gone: tuple[str, ...]
    new: tuple[str, ...]
    other: tuple[str, ...]

    def __str__(self):
        kinds = {"gone from their class": self.gone, "new": self.new, "changed": self.other}
        return ", ".join(
            f"{len(names):,} {what} ({shortened(names[0], LONGEST_NAME)}{more(names, 1)})"
            for what, names in kinds.items()
            if names
        )


def load(run_dir, facts, names, accepted=False, **options):
    """{split: Source} of a run's images: those of its `split.json`, or if it has none anew.

    `facts` are its manifest's: name, data_dir, seed, how a folder was drawn, how many training
    images were held out in place of a test set. DataError for
    what is not as it was, unless pictures alone differ and that is `accepted`.
    """
    kept = splits.read(run_dir) if run_dir else None
    if facts.get("hold_out"):
        options = {**options, "hold_out": facts["hold_out"]}
    name, data_dir, seed = facts["name"], facts.get("data_dir"), facts.get("seed", 0)
    if kept is None or kept.data != name:
        if name == "folder":
            options = {**options, "drawing": facts.get("drawing", "sample")}
            options["listing"] = folder.listed(data_dir, seed, options["drawing"])
        return {n: sources.load(name, n, data_dir=data_dir, seed=seed, **options) for n in names}
    if name == "folder":
        return of_folder(kept, run_dir, data_dir or kept.data_dir, names, accepted)
    found = {n: sources.load(name, n, data_dir=data_dir, seed=seed, **options) for n in names}
    for source in found.values():
        check_set(kept, source, run_dir, accepted)
    return found


def of_folder(kept, run_dir, data_dir, names, accepted):
    """The pictures that are recorded and still there, in the record's order."""
    listing = folder.listed(data_dir)
    place = shortened(listing.root), shortened(run_dir)
    check_classes(kept, folder.classes_of(listing), listing, place)
    changes = compare(kept, listing, names)
    recorded = sum(map(len, kept.files.values()))
    if recorded and len(changes.gone) == recorded:
        named = shlex.quote(f"--data_dir={shortened(kept.data_dir, LONGEST_FLAG)}")
        raise sources.DataError(
            f"folder: none of the pictures that {place[1]} was begun with is in {place[0]}: give "
            f"{named}, or judge all of these by trainers.evaluate --data=folder "
            "--split=all"
        )
    if told := str(changes):
        settle(f"folder: {place[0]} is not as {place[1]} was begun on it: {told}", accepted)
    found = {name: still_there(kept.files[name], changes) for name in names}
    for name, pictures in found.items():
        if not pictures:
            raise sources.DataError(f"folder: nothing of {place[1]}'s {name} is left in {place[0]}")
    return {
        name: folder.of_pictures(kept.data, name, listing, pictures, kept.class_names)
        for name, pictures in found.items()
    }


def still_there(recorded, changes) -> list[Picture]:
    """Recorded pictures without those that are gone."""
    gone = set(changes.gone)
    return [Picture(file.name, file.label) for file in recorded if file.name not in gone]


def compare(kept, listing, names) -> Changes:
    """What is not as recorded; the contents are looked at of the splits `names` alone."""
    recorded = {file.name: file for files in kept.files.values() for file in files}
    there = {
        p.name: p for p in listing.pictures if p.split != "test" and p.name not in kept.passed_over
    }
    gone = [n for n, file in recorded.items() if n not in there or there[n].label != file.label]
    new = [name for name in there if name not in recorded]
    looked_at = [there[f.name] for n in names for f in kept.files[n] if f.name in there]
    described = splits.described(looked_at, list(map(listing.path, looked_at)))
    other = [f.name for f in described if f[2:] != recorded[f.name][2:]]
    return Changes(tuple(gone), tuple(new), tuple(other))


def check_classes(kept, found, listing, place) -> None:
    """DataError where the classes are not those that were trained on: never accepted."""
    if found == kept.class_names:
        return
    gone = [label for label in kept.class_names if label not in found]
    new = [label for label in found if label not in kept.class_names]
    advice = f"take another --run_dir (--init_from={place[1]} keeps what was learned)"
    if not new and not gone:
        told = f"the classes of {place[0]} are in another order than {place[1]} was trained on"
    elif len(gone) == len(new) == 1 and renamed(kept, listing, gone[0], new[0]):
        told = f"class {gone[0]!r:.40}, which {place[1]} was trained on, is {new[0]!r:.40} in "
        told += place[0]
        advice = "give it its old name, or take another --run_dir"
    elif len(gone) == len(kept.class_names):
        told = f"{place[0]} has other classes ({listed(new)}) than {place[1]} ({listed(gone)})"
        advice = f"expected those of {shortened(kept.data_dir)}"
    else:
        kinds = [f"{listed(some)} {what}" for some, what in ((new, "new"), (gone, "gone")) if some]
        told = f"{place[0]} has other classes than {place[1]} was trained on: {', '.join(kinds)}"
        advice = f"put them as they were, or {advice}"
    raise sources.DataError(f"folder: {told}: {advice}")


def renamed(kept, listing, old, new) -> bool:
    """Whether most pictures of a class that is gone are called alike in one that is new."""

    def names(pictures, label):
        return {p.name.rpartition("/")[2] for p in pictures if p.label == label}

    before = names([file for files in kept.files.values() for file in files], old)
    return 2 * len(before & names(listing.pictures, new)) > len(before)


def check_set(kept, source, run_dir, accepted) -> None:
    """DataError for another preparation of a set, or other classes."""
    if source.class_names != kept.class_names:
        raise sources.DataError(
            f"{kept.data} has other classes than {shortened(run_dir)} was trained on: "
            f"{source.num_classes}, expected {len(kept.class_names)}: take another --run_dir"
        )
    if source.fingerprint != kept.fingerprint:
        ours, theirs = (f and f.get("set") for f in (kept.fingerprint, source.fingerprint))
        told = f"{theirs}, expected {ours}" if ours != theirs else "other counts or sizes"
        settle(
            f"{kept.data} is not as {shortened(run_dir)} was begun on it: {told:.80}; expected "
            f"that of {shortened(kept.data_dir or 'the default --data_dir')}",
            accepted,
        )


def settle(sentence: str, accepted: bool) -> None:
    """Refuses what has changed, or says that it was accepted."""
    if not accepted:
        raise sources.DataError(
            f"{sentence}: undo that, or go on with what is still there by --accept_changed_data"
        )
    print(f"NOTE: {sentence}: going on with what is still there", file=sys.stderr, flush=True)


def updated(kept, data):
    """The record of a run that goes on with what is still there: {split: Source} -> Split."""
    now = splits.of(data, kept.data_dir, kept.seed, kept.shorter_px, kept.hold_out)
    used = {file.name for files in now.files.values() for file in files}
    listing = data["train"].listing
    there = [p.name for p in listing.pictures if p.split != "test"] if listing else []
    return dataclasses.replace(
        now, images=kept.images, passed_over=tuple(name for name in there if name not in used)
    )


def listed(labels) -> str:
    """The first of some classes, for a sentence: 'a', 'b' ..."""
    return ", ".join(f"{label!r:.30}" for label in labels[:2]) + more(labels, 2)


def more(names, shown: int) -> str:
    return " ..." if len(names) > shown else ""


def shortened(path, longest=LONGEST_PATH) -> str:
    text = str(path)
    return text if len(text) <= longest else f"...{text[-longest + 3 :]}"
