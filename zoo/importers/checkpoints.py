"""The state dict in what a training script has saved: by the way it was saved, under any name."""

import math

from zoo.importers import ImportFailed
from zoo.importers.pickles import Foreign, Tensor

DEEPEST = 6
MOST = 1_000_000  # values looked at
OPTIMIZERS = ("optim", "exp_avg", "momentum", "scheduler", "scaler")


def choose(value, path, entry=None):
    """(name, {name: Tensor}, other names) of the dictionary that is asked for, or meant.

    Of several the averaged one (`state_dict_ema`, `model_ema`, `ema`) is meant, as timm takes it.
    """
    found = state_dicts(value)
    kernels = {name: x for name, x in found.items() if any(_rank(t) == 4 for t in x.values())}
    found = kernels or found
    names = ", ".join(name or "the whole" for name in found) or "none"
    if entry is not None:
        if entry not in found:
            raise ImportFailed(f"{path} has no --entry={entry}; it has {names}")
        return entry, found[entry], ()
    averaged = [name for name in found if "ema" in name.lower()]
    chosen = averaged if len(found) > 1 else list(found)
    if len(chosen) != 1:
        hint = f"several: {names}: choose one by --entry" if found else "none"
        raise ImportFailed(f"{path}: expected one dictionary of tensors, found {hint}")
    return chosen[0], found[chosen[0]], tuple(name for name in found if name != chosen[0])


def state_dicts(value):
    """Every dictionary of tensors that is not an optimizer's: {"state_dict": {...}, ...}."""
    found, seen, level, looked = {}, set(), [("", value)], 0
    for _ in range(DEEPEST):
        inner = []
        for name, item in level:
            items = item.items if isinstance(item, Foreign) else item
            looked += 1
            if not isinstance(items, dict) or id(items) in seen or looked > MOST:
                continue
            seen.add(id(items))
            if isinstance(items.get("_modules"), dict):
                found[name] = dict(_module(item))
                continue
            if any(isinstance(x, Tensor) for x in items.values()):
                found[name] = items
            inner += [(f"{name}.{k}".strip("."), x) for k, x in items.items() if _is_kept(k)]
        level = inner
    return found


def _is_kept(key):
    return isinstance(key, str) and not key.lower().startswith(OPTIMIZERS)


def _module(module, prefix="", depth=0):
    """The parameters and buffers of a network that was saved as an object: (name, Tensor), ..."""
    items = module.items if isinstance(module, Foreign) else {}
    for kind in ("_parameters", "_buffers"):
        for name, tensor in _dict(items.get(kind)).items():
            if tensor is not None:
                yield f"{prefix}{name}", tensor
    for name, inner in _dict(items.get("_modules")).items() if depth < 4 * DEEPEST else ():
        yield from _module(inner, f"{prefix}{name}.", depth + 1)


def _dict(value):
    return value if isinstance(value, dict) else {}


def _rank(value):
    return len(value.size) if isinstance(value, Tensor) and isinstance(value.size, tuple) else None


def tensors(state, path):
    """The tensors alone. ImportFailed for what a pickle wanted to be made in their place."""
    for name, value in state.items():
        if isinstance(value, Foreign):
            raise ImportFailed(
                f"{path} wants to call {value.name[:60]}, which no weights need, so it was not "
                f"run ({str(name)[:40]}): save the state_dict() alone, better as .safetensors"
            )
    return {str(name): x for name, x in state.items() if isinstance(x, Tensor)}


def numbers(tensor):
    """How many numbers a tensor claims."""
    return math.prod(tensor.size)
