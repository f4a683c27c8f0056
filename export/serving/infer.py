"""The Open Inference Protocol (KServe's v2): `/infer` and metadata, all in the JSON.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
"""

import numpy as np

from export.serving import values


def read(body, interface):
    """Call of an `/infer` body: one tensor, its name one of those that the signatures take."""
    found = values.read(body)
    tensors = found.get("inputs")
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise values.Refusal('expected "inputs", a list of one tensor')
    tensor = tensors[0]
    takers = {next(iter(sides["inputs"])): signature for signature, sides in interface.items()}
    name, datatype, shape = (tensor.get(key) for key in ("name", "datatype", "shape"))
    if not isinstance(name, str) or name not in takers:
        raise values.Refusal(f"inputs: expected the name {' or '.join(takers)}")
    spec = interface[takers[name]]["inputs"][name]
    known = {"BYTES"} if spec["dtype"] == "string" else values.NUMBERS
    if not isinstance(datatype, str) or datatype not in known:
        raise values.Refusal(f"{name}: expected the datatype {values.TYPES[spec['dtype']][1]}")
    whole = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
    if not whole or len(shape) > 8:
        raise values.Refusal(f"{name}: expected a shape of whole numbers above 0")
    given = tensor.get("data")
    if not isinstance(given, list):
        raise values.Refusal(
            f'{name}: expected "data", a list (tensors beside the JSON are not read)'
        )
    if spec["dtype"] == "string":
        if shape not in ([len(given)], [len(given), 1]):
            raise values.Refusal(f"{name}: {len(given)} images of shape {str(shape)[:40]}")
        encoded = values.images([{"b64": value} for value in given], spec, name)
    else:
        encoded = values.images(reshaped(given, shape, name), spec, name)
    wanted = wanted_outputs(found.get("outputs"), interface[takers[name]]["outputs"])
    return values.Call(takers[name], encoded, {"id": found.get("id"), "outputs": wanted})


def wanted_outputs(asked, known):
    """The names asked for, each once; all that are known if none are. Refusal."""
    if asked is None:
        return list(known)
    if not isinstance(asked, list) or not asked:
        raise values.Refusal("outputs: expected a list of names")
    names = [x.get("name") if isinstance(x, dict) else None for x in asked[: len(known) + 1]]
    if not all(isinstance(name, str) and name in known for name in names):
        raise values.Refusal(f"outputs: expected names among {', '.join(known)}")
    return list(dict.fromkeys(names))


def reshaped(given, shape, name):
    array = values.numbers(given, name)
    if array.size != np.prod(shape, dtype=object):
        raise values.Refusal(f"{name}: {array.size} values for the shape {str(shape)[:40]}")
    return array.reshape(shape)


def write(call, outputs, name, version):
    tensors = []
    for output in call.wanted["outputs"]:
        array = outputs[output]
        kind = "string" if array.dtype == object else array.dtype.name
        data = values.as_plain(array.ravel())
        shape = list(array.shape)
        tensors.append(
            {"name": output, "datatype": values.TYPES[kind][1], "shape": shape, "data": data}
        )
    answer = {"model_name": name, "model_version": version, "outputs": tensors}
    return answer if call.wanted["id"] is None else {**answer, "id": str(call.wanted["id"])[:200]}


def metadata(name, version, interface):
    """A model's metadata; of the signatures the one that takes encoded images comes first."""
    seen = {}
    for signature in sorted(interface, key=lambda x: x != "serve_bytes"):
        for kind in ("inputs", "outputs"):
            for tensor, spec in interface[signature][kind].items():
                shape = [-1 if n is None else n for n in spec["shape"]]
                datatype = values.TYPES[spec["dtype"]][1]
                entry = {"name": tensor, "datatype": datatype, "shape": shape}
                seen.setdefault(kind, {}).setdefault(tensor, entry)
    sides = {kind: list(tensors.values()) for kind, tensors in seen.items()}
    return {"name": name, "versions": [version], "platform": "tensorflow_savedmodel", **sides}
