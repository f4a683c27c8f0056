"""The numbers that a person may type, each with its bounds: flags, recipes and Python ask here.

A number is written in ASCII digits, `12`, `-0.5` or `1e-4`, and is finite. Whatever else Python or
absl would take (`1_000`, `0x10`, `nan`, digits of other scripts) is a slip sooner than a wish.
"""

import dataclasses
import math
import numbers
import re

from absl import flags

from zoo import sizes


class LimitError(ValueError):
    """A value that cannot be meant: `--name: expected ..., got ...`."""


@dataclasses.dataclass(frozen=True)
class Whole:
    """A whole number, both bounds within."""

    least: int
    most: int
    kind, written, what = int, re.compile(r"[+-]?[0-9]{1,20}"), "a whole number"

    def __str__(self):
        return f"{self.what} from {self.least} to {self.most}"

    def holds(self, value):
        return isinstance(value, numbers.Integral) and self.least <= value <= self.most


@dataclasses.dataclass(frozen=True)
class Real:
    """A finite number, both bounds within unless `below`: then the upper one is not."""

    least: float
    most: float
    below: bool = False
    kind, what = float, "a number"
    written = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

    def __str__(self):
        return f"{self.what} from {self.least:g} to {'below ' * self.below}{self.most:g}"

    def holds(self, value):
        if not isinstance(value, numbers.Real) or not math.isfinite(value):
            return False
        return self.least <= value < self.most if self.below else self.least <= value <= self.most


@dataclasses.dataclass(frozen=True)
class Size:
    """The side of a square, or height x width: `zoo.sizes`."""

    least: int
    most: int
    kind, written = staticmethod(sizes.read), re.compile(r"[+-]?[0-9]{1,20}|[0-9]{1,5}x[0-9]{1,5}")

    def __str__(self):
        sides = f"from {self.least} to {self.most}"
        return f"a whole number {sides}, or height x width such as 192x256"

    def holds(self, value):
        sides = value if isinstance(value, (tuple, list)) else (value, value)
        each = Whole(self.least, self.most)
        return len(sides) == 2 and all(map(each.holds, sides))


STEPS = Whole(1, 10**9)  # int32 counts them on the device
IMAGES = Whole(1, 10**9)
BATCH = Whole(1, 2**20)
SEED = Whole(0, 2**32 - 1)  # what NumPy's generator takes, and Keras with it
RATE = Real(0, 1e30)  # far below float32's largest, 3e38
SHARE = Real(0, 1, below=True)
SIDE = Whole(4, 8192)  # px

LIMITS = {
    # a recipe's
    "batch_size": BATCH,
    "steps": STEPS,
    "round_steps": STEPS,
    "epochs": Whole(1, 10**6),
    "learning_rate": RATE,
    "drops": SHARE,
    "patience_rounds": STEPS,
    "early_stop_rounds": STEPS,
    "warmup_steps": Whole(0, STEPS.most),
    "warmup_learning_rate": RATE,
    "momentum": SHARE,
    "weight_decay": Real(0, 1000),
    "label_smoothing": SHARE,
    "class weight": Real(0, 1e6),
    "mixup": Real(0, 1000),
    "cutmix": Real(0, 1000),
    "ema": SHARE,
    "erase": SHARE,
    "pad_px": Whole(0, 256),
    "image_size": Size(SIDE.least, SIDE.most),
    "resize_px": SIDE,
    "backbone_rate": Real(0, 1000),
    "hold_out": Whole(0, IMAGES.most),
    # a detector's
    "shorter_px": SIDE,
    "longer_px": SIDE,
    "scales": SIDE,
    "crop_px": SIDE,
    "region_px": SIDE,
    "anchor_sizes": Real(1, SIDE.most),
    "anchor_ratios": Real(0.01, 100),
    "bins": Whole(2, 64),
    "rpn_filters": Whole(1, 4096),
    "rpn_anchors": Whole(2, 2**16),
    "train_proposals_before": Whole(1, 2**20),
    "train_proposals": Whole(1, 2**16),
    "regions": Whole(2, 2**12),
    "foreground": SHARE,
    "background_iou": SHARE,
    "proposals_before": Whole(1, 2**20),
    "proposals": Whole(1, 2**14),
    "proposal_iou": SHARE,
    "least_score": SHARE,
    "nms_iou": SHARE,
    "detections": Whole(1, 2**12),
    # a run's
    "seed": SEED,
    "seeds": SEED,
    "logical_devices": Whole(1, 64),
    "worker": Whole(0, 9999),
    "checkpoint_steps": Whole(0, STEPS.most),
    "steps_per_execution": STEPS,
    "profile_steps": STEPS,
    "benchmark_steps": STEPS,
    "accumulate": BATCH,
    "max_skipped": Real(0, 1),
    # other programs'
    "sweep_steps": Whole(20, 10**6),
    "lowest_rate": Real(1e-12, 1e6),
    "highest_rate": Real(1e-12, 1e6),
    "limit": IMAGES,
    "top": IMAGES,
    "neighbours": IMAGES,
    "parallel": Whole(1, 256),  # processes
    "longer": Whole(0, 100),  # times the steps
    "batches": STEPS,
    "batch_size of statistics": Whole(2, BATCH.most),  # one image has no deviation
    "per_class": IMAGES,
    "width": Real(1 / 16, 16),  # of Table 1's filters
    "mean of white": Real(0, 1),  # as Torch's transforms count pixels
    "std of white": Real(1e-3, 1),
    "port": Whole(0, 65_535),
    "port of another": Whole(1, 65_535),
    "images": IMAGES,
    "calibration_images": IMAGES,
    "max_body_mb": Whole(1, 1000),
    "max_batch": Whole(1, 4096),
    "version": Whole(1, 2**63 - 1),  # TensorFlow Serving's are int64
    # the benchmarks'
    "clients": Whole(1, 256),
    "seconds": Whole(1, 3600),
    "rounds": Whole(1, 1000),
    "examples": IMAGES,
    "gpus": Whole(1, 64),
    "multiply_adds": Whole(1, 2**63 - 1),
    "batch_sizes": BATCH,
    "verbosity": Whole(-3, 3),  # every program's, absl's own: fatal to debug
}


def check(name, value, flag=None):
    """`value` as a plain int or float; LimitError, by the flag's name, unless it is within."""
    return _checked(name, value, value, flag)


def read(name, text, flag=None):
    """The number that `text` is, checked; a number may come in its place."""
    limit = LIMITS[name]
    written = isinstance(text, str) and limit.written.fullmatch(text)
    return _checked(name, limit.kind(text) if written else text, text, flag)


def _checked(name, value, given, flag):
    limit = LIMITS[name]
    if isinstance(value, bool) or not limit.holds(value):
        raise LimitError(f"--{flag or name}: expected {limit}, got {shown(given)}")
    return limit.kind(value)


def told(error):
    """The LimitError that absl has wrapped in an error of a flag's, if so; else the error."""
    return error.__context__ if isinstance(error.__context__, LimitError) else error


def shown(value):
    """A value in a sentence: no longer than a few words, and on one line."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}...{text[-1:]}"


class Parser(flags.ArgumentParser):
    """absl's way to ask `read`; `--help` shows what `flag_type` says."""

    def __init__(self, name, limit=None):
        self.name, self.limit = name, limit or name
        self.syntactic_help = str(LIMITS[self.limit])

    def parse(self, argument):
        return read(self.limit, argument, self.name)

    def flag_type(self):
        kind = LIMITS[self.limit].kind
        return "size" if kind is sizes.read else kind.__name__


class ListParser(flags.ListParser):
    """Numbers by commas: -> a list of them."""

    def __init__(self, name, fewest, limit=None):
        super().__init__()
        self.name, self.fewest, self.limit = name, fewest, limit or name

    def parse(self, argument):
        found = [read(self.limit, part, self.name) for part in super().parse(argument)]
        if len(found) < self.fewest:
            raise LimitError(f"--{self.name}: expected numbers by commas, got {shown(argument)}")
        return found

    def flag_type(self):
        return f"{LIMITS[self.limit].kind.__name__},..."


def DEFINE_integer(name, default, help_, flag_values=flags.FLAGS, limit=None):
    """A flag that is a number: the one that LIMITS has under its name, or under `limit`."""
    parser, serializer = Parser(name, limit), flags.ArgumentSerializer()
    return flags.DEFINE(parser, name, default, help_, flag_values, serializer)


DEFINE_float = DEFINE_integer  # LIMITS says which; at a definition a reader wants to see it


def DEFINE_numbers(name, default, help_, flag_values=flags.FLAGS, fewest=1, limit=None):
    """A flag that is numbers by commas, `fewest` at least: a list."""
    parser, serializer = ListParser(name, fewest, limit), flags.CsvListSerializer(",")
    return flags.DEFINE(parser, name, default, help_, flag_values, serializer)


flags.disclaim_key_flags()  # a flag belongs to the module that asks for it
