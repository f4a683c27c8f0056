"""TensorFlow Serving's REST interface (KServe's v1): `:predict`, status and metadata.

https://www.tensorflow.org/tfx/serving/api_rest
"""

from export.serving import values


def read(body, interface):
    """Call of a `:predict` body: "instances", image by image, or "inputs", input by input."""
    found = values.read(body)
    signature = found.get("signature_name", "")
    signature = values.DEFAULT if signature == "" else signature
    if not isinstance(signature, str) or signature not in interface:
        raise values.Refusal(f"signature_name: expected one of {', '.join(interface)}", 404)
    if ("instances" in found) == ("inputs" in found):
        raise values.Refusal('expected "instances" or "inputs", and not both')
    columns = "inputs" in found
    given = found["inputs" if columns else "instances"]
    ((name, spec),) = interface[signature]["inputs"].items()
    if columns:
        given = named(given, name)
    if not isinstance(given, list) or not given:
        raise values.Refusal("expected a list of at least one image")
    if not columns:
        given = [named(value, name) for value in given]
    return values.Call(signature, values.images(given, spec, name), {"columns": columns})


def named(value, name):
    """The value of the one input, be it named or not."""
    if not isinstance(value, dict) or set(value) == {"b64"}:
        return value
    if set(value) != {name}:
        raise values.Refusal(f"expected the one input {name!r}, got {str(list(value))[:60]}")
    return value[name]


def write(call, outputs):
    """{name: array} -> the body of the answer."""
    plain = {name: values.as_plain(array) for name, array in outputs.items()}
    if call.wanted["columns"]:
        return {"outputs": plain}
    return {"predictions": [dict(zip(plain, row)) for row in zip(*plain.values())]}


def status(version):
    status = {"error_code": "OK", "error_message": ""}
    return {"model_version_status": [{"version": version, "state": "AVAILABLE", "status": status}]}


def metadata(name, version, interface):
    """As TensorFlow Serving prints a SignatureDefMap."""
    signatures = {
        signature: {
            **{kind: {n: tensor_info(spec) for n, spec in sides[kind].items()} for kind in sides},
            "method_name": "tensorflow/serving/predict",
            "defaults": {},
        }
        for signature, sides in interface.items()
    }
    spec = {"name": name, "signature_name": "", "version": version}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}


def tensor_info(spec):
    sides = [{"size": str(-1 if n is None else n), "name": ""} for n in spec["shape"]]
    shape = {"dim": sides, "unknown_rank": False}
    return {"dtype": values.TYPES[spec["dtype"]][0], "tensor_shape": shape, "name": ""}
