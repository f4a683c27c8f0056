"""Whether an artifact's files are those that were published: `metadata.json` against the rest.

The records lie in the artifact, so they say nothing of who made it: who changes a file can change
its hash. Without TensorFlow, so that what strangers send costs no more than reading it.
"""

import os
import pathlib
import stat

from export.errors import ExportError
from zoo import files, records

FORMAT = 1
METADATA = "metadata.json"
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
    found = files.sha256(pathlib.Path(directory) / METADATA)
    if found in hashes:
        return []
    return [f"{METADATA} has sha256 {found}, expected {' or '.join(hashes[:2])}"]


def read_metadata(directory):
    path = directory / METADATA
    try:
        metadata = records.of_type(records.read(path), dict, "the whole")
        version = metadata["format"]
    except FileNotFoundError:
        raise ExportError(f"{directory} holds no artifact: expected {METADATA} in it") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path} is not an artifact's metadata: {error!r}"[:250]) from None
    if version != FORMAT:
        shown = records.shown(version)
        raise ExportError(f"{path} has format {shown}, this program reads {FORMAT}")
    try:
        _check_types(metadata)
    except ValueError as error:
        raise ExportError(f"{path} is not an artifact's metadata: {error}") from None
    return metadata


def _check_types(metadata):
    """ValueError for the first entry that is of another type than what `card` writes."""
    kinds = {"artifact": str, "network": str, "interface": dict, "gate": dict, "files": dict}
    for name, kind in kinds.items():
        records.of_type(metadata.get(name), kind, name)
    for name, facts in metadata["files"].items():
        place = f"files.{name[:60]}"
        records.of_type(facts, dict, place)
        records.of_type(facts.get("sha256"), str, f"{place}.sha256")
        records.of_type(facts.get("bytes"), int, f"{place}.bytes")


def changed_files(directory, recorded):
    """Sentences; a file of another size than recorded, or of none, is not read at all."""
    paths = {x.relative_to(directory).as_posix(): x for x in directory.rglob("*") if x.is_file()}
    present = {name: path for name, path in paths.items() if name != METADATA}
    found = [f"{name} is missing" for name in recorded if name not in present]
    found += [f"{name} was added" for name in present if name not in recorded]
    for name in recorded.keys() & present.keys():
        size, facts = present[name].stat().st_size, recorded[name]
        if size != facts["bytes"]:
            found.append(f"{name} was changed: {size:,} bytes, recorded {facts['bytes']:,}")
        elif (digits := files.sha256(present[name])) != facts["sha256"]:
            found.append(f"{name} was changed: sha256 {digits}, recorded {facts['sha256'][:64]}")
    return sorted(found)


def summary(directory, checked):
    """What a person reads of an artifact in which nothing was wrong; `checked` in words."""
    metadata = read_metadata(pathlib.Path(directory))
    return (
        f"{metadata['network']} as {metadata['artifact']} is as published: "
        f"{len(metadata['files'])} files, {checked}"
    )
