"""How pictures are prepared for weights: as asked, as a file beside them says, or as is usual."""

import dataclasses

from zoo import records
from zoo.contract import InputContract
from zoo.importers import ImportFailed, evaluations

BESIDE = "preprocessor_config.json"  # Hugging Face's
RESAMPLE = {2: "bilinear", 3: "bicubic"}  # PIL's numbers
WHITE = 255.0


def choose(request, found, path):
    """(name, Evaluation) for a Request and its Match; single numbers are changed by its flags."""
    beside = path.with_name(BESIDE)
    if request.evaluation:
        name, rules = request.evaluation, evaluations.EVALUATIONS[request.evaluation]
    elif beside.is_file():
        name, rules = BESIDE, _read(beside, evaluations.default(found.layout, found.network))
    else:
        name = evaluations.default(found.layout, found.network)
        rules = evaluations.EVALUATIONS[name]
    if found.arrays.normalisation:
        mean, std = found.arrays.normalisation
        name, rules = f"{name}, the graph's mean", dataclasses.replace(rules, mean=mean, std=std)
    changed = {}
    for flag in ("mean", "std"):
        if value := getattr(request, flag):
            changed[flag] = tuple(WHITE * x for x in (value * 3 if len(value) == 1 else value))
    if request.image_size:
        changed["input"] = _resized(rules.input, request.image_size)
    asked = "".join(
        f" --{flag}" for flag in ("mean", "std", "image_size") if getattr(request, flag)
    )
    return f"{name}{asked and ' with' + asked}", dataclasses.replace(rules, **changed)


def _resized(contract, size):
    """Another size; the crop keeps its share of the side."""
    resize_px = max(size, contract.resize_px * size // contract.image_size)
    return dataclasses.replace(contract, image_size=size, resize_px=resize_px)


def _read(path, usual):
    """The Evaluation that a preprocessor_config.json describes. ImportFailed if ours has none."""
    try:
        config = records.of_type(records.read(path), dict, "the whole")
        white = 255 * _number(config, "rescale_factor", 1 / 255)
        whole = WHITE / (white if config.get("do_rescale", True) else WHITE)
        mean, std = (_three(config, name) for name in ("image_mean", "image_std"))
        if not config.get("do_normalize", True):
            mean, std = (0.0,) * 3, (1.0,) * 3
        size, resize_px = _sizes(config)
        method = RESAMPLE.get(config.get("resample", 2))
        if method is None:
            raise ValueError(f"resample {records.shown(config['resample'])} is neither 2 nor 3")
        contract = InputContract(size, resize_px, method, rounding="torch")
    except ValueError as error:
        raise ImportFailed(f"{path}: {error}; give --evaluation=NAME instead") from None
    rules = evaluations.EVALUATIONS[usual]
    mean, std = (tuple(whole * x for x in numbers) for numbers in (mean, std))
    return dataclasses.replace(rules, input=contract, mean=mean, std=std)


def _sizes(config):
    """Side of the crop, and of what it is cut from: of ConvNext's, BiT's and ViT's processors."""
    size = config.get("size", {"shortest_edge": 224})
    size = {"shortest_edge": size} if isinstance(size, int) else records.of_type(size, dict, "size")
    if "shortest_edge" in size:
        side = records.of_type(size["shortest_edge"], int, "size.shortest_edge")
        if "crop_pct" in config:
            return side, int(side / min(max(_number(config, "crop_pct", 1), 0.1), 1))
    else:
        side = records.of_type(size.get("height"), int, "size.height")
        if size.get("width") != side:
            raise ValueError("expected squares, got another height than width")
    if not config.get("do_center_crop", "crop_size" in config):
        return side, side
    crop = config.get("crop_size", side)
    crop = crop.get("height") if isinstance(crop, dict) else crop
    return records.of_type(crop, int, "crop_size"), side


def _number(config, name, default):
    return float(records.of_type(config.get(name, default), (int, float), name))


def _three(config, name):
    default = {"image_mean": evaluations.TORCH_MEAN, "image_std": evaluations.TORCH_STD}[name]
    values = list(config[name]) if isinstance(config.get(name), list) else list(default)
    numbers = tuple(float(records.of_type(x, (int, float), name)) for x in values)
    if len(numbers) != 3 or (name == "image_std" and min(numbers) <= 0):
        raise ValueError(f"{name}: expected three numbers, got {records.shown(values)}")
    return numbers
