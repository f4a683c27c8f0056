"""A pickle read as data: whatever it names, nothing is called.

A pickle is a program: it may call anything that it can name. `torch.load(weights_only=True)` keeps
to a list of names, but is PyTorch, half a gigabyte, and its list is long and has been got round
before (CVE-2025-32434). Here the handful of names that a state dict needs become plain records, and
every other one a Foreign, which remembers what it was called and does nothing. So a checkpoint may
hold its optimizer, its arguments and its whole network as an object.
"""

import collections
import io
import pickle

from zoo.importers import ImportFailed

LARGEST = 8 * 2**20  # bytes of one pickle; a resnet1202 with its optimizer has 3 MB
PLAIN = (str, int, float, bool, bytes, type(None))

Name = collections.namedtuple("Name", ["text"])  # what a pickle would import
Storage = collections.namedtuple("Storage", ["key", "kind", "count"])
Tensor = collections.namedtuple("Tensor", ["storage", "offset", "size", "stride"])

ITEM_BYTES = {"f4": 4, "f8": 8, "f2": 2, "bf2": 2, "i8": 8, "i4": 4, "i2": 2, "i1": 1, "u1": 1}
STORAGES = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": "bf2",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1",
    "ByteStorage": "u1", "BoolStorage": "u1",
}  # fmt: skip
KINDS = {f"torch.{name}": kind for name, kind in STORAGES.items()}


class Foreign:
    """An object of somebody's class: its name, what it was filled with, and no behaviour."""

    __slots__ = ("items", "name")

    def __init__(self, name):
        self.name, self.items = name, {}


CALLS = {
    "collections.OrderedDict": lambda *_: {},
    "torch.Size": lambda sizes: tuple(sizes),
    "torch._utils._rebuild_tensor": lambda *parts: Tensor(*parts),
    "torch._utils._rebuild_tensor_v2": lambda *parts: Tensor(*parts[:4]),
    "torch._utils._rebuild_parameter": lambda data, *_: data,
}


class Unpickler(pickle._Unpickler):
    """`storages` collects what the pickle refers to.

    The one written in Python: C's answers a forged memo index with gigabytes of memory. Nothing
    that the file made is hashed but texts and numbers: a nested key takes for ever.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file, path, storages=None):
        super().__init__(_Bounded(file, path), encoding="utf-8")
        self.path, self.storages = path, {} if storages is None else storages

    def find_class(self, module, name):
        return Name(f"{module}.{name}")

    def persistent_load(self, reference):
        what, kind, key, _, count, *view = reference if isinstance(reference, tuple) else [None] * 5
        kind = KINDS.get(kind.text) if isinstance(kind, Name) else None
        whole = isinstance(count, int) and isinstance(key, PLAIN)
        if what != "storage" or not kind or not whole or any(x is not None for x in view):
            raise ImportFailed(f"{self.path} holds a reference that is not a plain tensor")
        return self.storages.setdefault(key, Storage(key, kind, count))

    def _call(self, name, arguments):
        text = name.text if isinstance(name, Name) else type(name).__name__
        made = CALLS.get(text)
        return made(*arguments) if made else Foreign(text)

    def _reduce(self):
        arguments = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], arguments)

    def _reduce_with_keywords(self):
        self.stack.pop()
        self._reduce()

    def _instance(self):
        module, name = (self.readline()[:-1].decode("utf-8") for _ in range(2))
        self.pop_mark()
        self.append(Foreign(f"{module}.{name}"))

    def _object(self):
        name = self.pop_mark()[0]
        self.append(Foreign(name.text if isinstance(name, Name) else "an object"))

    def _build(self):
        state, made = self.stack.pop(), self.stack[-1]
        state = next((x for x in state if x), {}) if isinstance(state, tuple) else state
        if isinstance(made, Foreign) and isinstance(state, dict):
            made.items.update(state)

    def _fill(self, pairs):
        made = self.stack[-1]
        items = made if isinstance(made, dict) else getattr(made, "items", None)
        if not isinstance(items, dict):
            raise pickle.UnpicklingError("items for what has none")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            items[key if isinstance(key, PLAIN) else f"a {type(key).__name__}"] = value

    def _set_item(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def _set_items(self):
        self._fill(self.pop_mark())

    def _dict(self):
        pairs = self.pop_mark()
        self.append({})
        self._fill(pairs)

    def _append(self):
        value = self.stack.pop()
        self._extend([value])

    def _extend(self, values):
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def _appends(self):
        self._extend(self.pop_mark())

    def _list(self):
        self.append([])

    def _list_of(self):
        self.append(self.pop_mark())


for _code, _method in {
    pickle.REDUCE: Unpickler._reduce,
    pickle.NEWOBJ: Unpickler._reduce,
    pickle.NEWOBJ_EX: Unpickler._reduce_with_keywords,
    pickle.INST: Unpickler._instance,
    pickle.OBJ: Unpickler._object,
    pickle.BUILD: Unpickler._build,
    pickle.SETITEM: Unpickler._set_item,
    pickle.SETITEMS: Unpickler._set_items,
    pickle.DICT: Unpickler._dict,
    pickle.APPEND: Unpickler._append,
    pickle.APPENDS: Unpickler._appends,
    pickle.EMPTY_SET: Unpickler._list,
    pickle.ADDITEMS: Unpickler._appends,
    pickle.FROZENSET: Unpickler._list_of,
}.items():
    Unpickler.dispatch[_code[0]] = _method


class _Bounded:
    """A file of which one pickle may read so much and no more."""

    def __init__(self, file, path):
        self.file, self.path, self.left = file, path, LARGEST

    def read(self, count=-1):
        return self._counted(self.file.read(min(count, self.left + 1) if count >= 0 else count))

    def readline(self):
        return self._counted(self.file.readline(self.left + 1))

    def _counted(self, content):
        self.left -= len(content)
        if self.left < 0:
            raise ImportFailed(f"{self.path}: its pickle has more than {LARGEST:,} bytes: save the "
                               "state_dict() alone")  # fmt: skip
        return content


def load(file, path, storages=None):
    """The next pickle of a file, or of bytes."""
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    return Unpickler(file, path, storages).load()
