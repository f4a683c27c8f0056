"""Class names: from a file, from an installed package, or plain numbers."""

import importlib.util
import json
import pathlib

from zoo import records
from zoo.importers import ImportFailed

CIFAR_10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def class_names(kind, count, path=None):
    """`count` names: of a --labels file, of the data set `kind`, or "0", "1", ...

    ImageNet's are its synsets (n01440764, ...), which are also the names of its folders and what
    tensorflow-datasets calls the classes; words for them need a file.
    """
    if path is not None:
        names = read(path)
        if len(names) != count:
            raise ImportFailed(f"{path} has {len(names)} names, the network {count} classes")
        return names
    known = {"imagenet": _synsets, "cifar10": lambda: CIFAR_10}.get(kind, tuple)()
    return known if len(known) == count else tuple(map(str, range(count)))


def read(path):
    """Names, one a line, or in JSON: a list, {"0": name}, Keras' {"0": [synset, name]}, id2label.

    A Hugging Face config.json is such a file.
    """
    try:
        if pathlib.Path(path).suffix != ".json":
            lines = records.text(path).splitlines()
            return tuple(line.strip() for line in lines if line.strip())
        values = records.read(path)
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            error = 'expected a JSON list, or {"0": name, ...}'
        raise ImportFailed(f"{path}: {error}") from None
    try:
        if isinstance(values, dict):
            values = values.get("id2label", values)
            values = [values[str(i)] for i in range(len(values))]
        names = [x[-1] if isinstance(x, list) else x for x in values]
        # A name is one line wherever names are listed.
        return tuple(" ".join(str(records.of_type(x, (str, int), "a name")).split()) for x in names)
    except (IndexError, KeyError, TypeError, ValueError):
        raise ImportFailed(f'{path}: expected a JSON list, or {{"0": name, ...}}') from None


def _synsets():
    """The list that tensorflow-datasets carries, found without importing it (6 s)."""
    package = importlib.util.find_spec("tensorflow_datasets")
    for folder in package.submodule_search_locations if package else ():
        path = pathlib.Path(folder) / "datasets" / "imagenet2012" / "labels.txt"
        if path.is_file():
            return tuple(path.read_text(encoding="utf-8").split())
    return ()
