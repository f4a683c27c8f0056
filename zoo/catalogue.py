"""What `python -m zoo` prints: each network counted, beside what the paper prints of it."""

import itertools

from zoo import complexity
from zoo.resnet import build_network
from zoo.specs import Network

# Table 1 (multiply-adds, 1e9) and Table 6 (parameters, 1e6), with the digits that are printed.
PAPER_GMACS = {"18": 1.8, "34": 3.6, "50": 3.8, "101": 7.6, "152": 11.3}
PAPER_MPARAMS = {"20": 0.27, "32": 0.46, "44": 0.66, "56": 0.85, "110": 1.7, "1202": 19.4}

HEADER = (
    f"{'network':<12}{'layers':>7}{'shortcut':>10}{'image':>7}{'parameters':>13}"
    f"{'paper':>8}{'multiply-adds':>16}{'paper':>8}"
)


def row(spec, shortcut=None, stride="1x1", width=1.0):
    """The catalogue's line as data: Spec -> dict."""
    model = _counted(spec, shortcut, stride, width)
    depth = spec.name.removeprefix("resnet").removeprefix("plain")
    printed = not (spec.plain and spec.block == "bottleneck")  # which no table of the paper has
    return {
        **_head(spec, shortcut, stride, width),
        "parameters": complexity.parameters(model),
        "paper_parameters_1e6": PAPER_MPARAMS.get(depth) if width == 1 else None,
        "multiply_adds": complexity.multiply_adds(model),
        "paper_multiply_adds_1e9": PAPER_GMACS.get(depth) if width == 1 and printed else None,
    }


def as_line(item):
    parameters, macs = item["paper_parameters_1e6"], item["paper_multiply_adds_1e9"]
    return (
        f"{item['name']:<12}{item['layers']:>7}{item['shortcut'] or 'none':>10}"
        f"{item['image_size']:>7}{item['parameters']:>13,}"
        f"{f'{parameters}M' if parameters else '':>8}{_billions(item['multiply_adds']):>16}"
        f"{f'{macs}e9' if macs else '':>8}"
    )


def table(spec, shortcut=None, stride="1x1", width=1.0):
    """One column of Table 1 as data: Spec -> dict with a list of stages."""
    model = _counted(spec, shortcut, stride, width)
    groups = itertools.groupby(_weighted_and_pools(model), key=_stage)
    return {
        **_head(spec, shortcut, stride, width),
        "stages": [_stage_row(name, list(members)) for name, members in groups],
        "parameters": complexity.parameters(model),
        "multiply_adds": complexity.multiply_adds(model),
    }


def as_table_1(item):
    options = f"shortcut {item['shortcut'] or 'none'}, stride on the {item['stride']}"
    options += "" if item["width"] == 1 else f", width {item['width']:g}"
    lines = [f"{item['name']}: {item['layers']} layers, {options}, {item['image_size']} px"]
    for stage in item["stages"]:
        for i, (layers, times) in enumerate(stage["layers"]):
            output = stage["output"] if i == 0 else ""
            repeat = f" x {times}" if times > 1 else ""
            lines.append(f"  {stage['name'] if i == 0 else '':<9}{output:<9}[{layers}]{repeat}")
    lines.append(
        f"  {item['parameters']:,} parameters, {_billions(item['multiply_adds'])} multiply-adds"
    )
    return "\n".join(lines)


def _head(spec, shortcut, stride, width):
    return {
        "name": spec.name,
        "layers": spec.layers,
        "shortcut": _shortcut(spec, shortcut),
        "stride": stride,
        "image_size": spec.image_size,
        "width": width,
    }


def network(spec, shortcut=None, stride="1x1", width=1.0):
    """The Network that is counted, at the paper's size and with its classes."""
    shortcut = _shortcut(spec, shortcut)
    return Network(
        spec.name, spec.num_classes, spec.image_size, shortcut, stride=stride, width=width
    )


def _counted(spec, shortcut, stride, width):
    return build_network(network(spec, shortcut, stride, width))


def _shortcut(spec, shortcut):
    return None if spec.plain else shortcut or spec.shortcut


def _billions(count):
    return f"{count / 1e9:.3f}e9" if count >= 1e8 else f"{count / 1e9:.4f}e9"


def _weighted_and_pools(model):
    """Layers that Table 1 shows, projections behind the layers that they pass by."""
    shown = ("pool1_pool", "avg_pool", "logits")
    layers = [x for x in model.layers if x.name in shown or x.name.endswith("_conv")]
    return [
        layer
        for _, block in itertools.groupby(layers, key=_block)
        for layer in sorted(block, key=lambda x: x.name.endswith("_0_conv"))
    ]


def _block(layer):
    return layer.name.rsplit("_", 2)[0]


def _stage(layer):
    return layer.name if layer.name in ("avg_pool", "logits") else layer.name.split("_")[0]


def _stage_row(name, members):
    """Blocks of one stage, alike neighbours counted together, as Table 1's "[...] x 3"."""
    blocks = itertools.groupby(members, key=_block)
    contents = [", ".join(_describe(layer) for layer in block) for _, block in blocks]
    counted = [(text, len(list(same))) for text, same in itertools.groupby(contents)]
    shape = members[-1].output.shape
    output = "x".join(str(side) for side in shape[1:-1]) or "1x1"
    return {"name": name, "output": output, "layers": counted}


def _describe(layer):
    name = layer.name
    if name == "pool1_pool":
        return "3x3 max pool, stride 2"
    if name == "avg_pool":
        return "global average pool"
    if name == "logits":
        return f"{layer.units}-way fc"
    kernel, _, _, filters = layer.kernel.shape
    stride = f"/{layer.strides[0]}" if layer.strides[0] > 1 else ""
    note = " projection" if name.endswith("_0_conv") else ""
    return f"{kernel}x{kernel}, {filters}{stride}{note}"
