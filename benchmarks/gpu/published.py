"""Published speeds of ResNet-50 v1.5 at 224 px, and the peak rates of the GPUs they are of.

Read on the pages named here, each figure of them; nothing is estimated. NVIDIA's repository is
github.com/NVIDIA/DeepLearningExamples as of April 2024.
"""

import dataclasses
import re

MULTIPLY_ADDS = 4.089e9  # of v1.5 for one image; the paper's v1 has 3.86e9

EXAMPLES = "NVIDIA DeepLearningExamples, "
TF, TORCH, MX22, MX20 = "TensorFlow 2020", "PyTorch 2021", "MXNet 2022", "MXNet 2020"
SOURCES = {
    # An older state of this file has 808 and 1,770 images/s on one A100; the newest is taken.
    TF: EXAMPLES + "TensorFlow/Classification/ConvNets/resnet50v1.5/README.md: TensorFlow 1, "
    "container 20.06, ImageNet in TFRecords",
    TORCH: EXAMPLES + "PyTorch/Classification/ConvNets/resnet50v1.5/README.md, batches from "
    "../configs.yml: container 21.03",
    MX22: EXAMPLES + "MxNet/Classification/RN50v1.5/README.md: container 22.10, data and "
    "compute time",
    MX20: EXAMPLES + "the same file: container 20.12",
}
A100_40, A100_80 = "NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-80GB"
V100, T4 = "Tesla V100-SXM2-16GB", "Tesla T4"


@dataclasses.dataclass(frozen=True)
class Figure:
    """`precision` is fp32, tf32 or mixed (float16); `xla` None where the framework has none."""

    task: str
    source: str
    device: str
    gpus: int
    batch: int
    precision: str
    xla: bool | None
    images_per_second: float


TRAINING = [
    Figure("train", *row)
    for row in (
        (TF, A100_40, 1, 256, "tf32", True, 909),
        (TF, A100_40, 8, 256, "tf32", True, 7000),
        (TF, A100_40, 1, 256, "mixed", True, 2375),
        (TF, A100_40, 8, 256, "mixed", True, 17400),
        (TF, V100, 1, 128, "fp32", True, 412),
        (TF, V100, 8, 128, "fp32", True, 3170),
        (TF, V100, 1, 256, "mixed", True, 1270),
        (TF, V100, 8, 256, "mixed", True, 9510),
        (TORCH, A100_80, 1, 256, "tf32", None, 938),
        (TORCH, A100_80, 8, 256, "tf32", None, 7248),
        (TORCH, A100_80, 1, 256, "mixed", None, 2470),
        (TORCH, A100_80, 8, 256, "mixed", None, 16621),
        (TORCH, V100, 1, 112, "fp32", None, 367),
        (TORCH, V100, 8, 112, "fp32", None, 2855),
        (TORCH, V100, 1, 256, "mixed", None, 1200),
        (TORCH, V100, 8, 256, "mixed", None, 8322),
        (MX22, A100_80, 1, 512, "tf32", None, 1055.78),
        (MX22, A100_80, 4, 512, "tf32", None, 4182.30),
        (MX22, A100_80, 8, 512, "tf32", None, 8247.44),
        (MX22, A100_80, 1, 512, "mixed", None, 3410.52),
        (MX22, A100_80, 4, 512, "mixed", None, 13442.66),
        (MX22, A100_80, 8, 512, "mixed", None, 26673.72),
        (MX20, V100, 1, 96, "fp32", None, 384),
        (MX20, V100, 8, 96, "fp32", None, 3005),
        (MX20, V100, 1, 192, "mixed", None, 1376),
        (MX20, V100, 8, 192, "mixed", None, 10723),
    )
]
# By batches of 1, 32 and 128: TensorFlow's README alone tells with and without XLA apart.
SERVING = [
    Figure("serve", TF, device, 1, batch, precision, xla, rate)
    for device, precision, xla, rates in (
        (A100_40, "tf32", False, (191.23, 1602.09, 1876.22)),
        (A100_40, "tf32", True, (158.67, 1945.44, 2449.88)),
        (A100_40, "mixed", False, (223.35, 1974.01, 3474.94)),
        (A100_40, "mixed", True, (174.68, 2363.70, 3274.01)),
        (V100, "fp32", False, (173.35, 1140.12, 1324.91)),
        (V100, "mixed", False, (237.35, 2356.17, 2770.61)),
        (V100, "mixed", True, (162.95, 2492.78, 2964.31)),
        (T4, "fp32", False, (136.44, 414.66, 429.83)),
        (T4, "mixed", False, (211.04, 972.36, 995.81)),
        (T4, "mixed", True, (167.01, 1090.38, 1167.62)),
    )
    for batch, rate in zip((1, 32, 128), rates, strict=True)
]


@dataclasses.dataclass(frozen=True)
class Peak:
    """Dense TFLOP/s by precision of the devices whose whole name matches."""

    title: str
    names: str
    tflops: dict
    source: str


HOPPER = {"fp32": 66.9, "tf32": 494.7, "bf16": 989.4, "fp16": 989.4}
PEAKS = (
    Peak(
        "A100",
        r"(NVIDIA )?A100[- ](SXM4|PCIE|PCIe|80GB PCIe)[-\w]*",
        {"fp32": 19.5, "tf32": 156, "bf16": 312, "fp16": 312},
        "NVIDIA's A100 datasheet and Ampere whitepaper (2020), as quoted by "
        "glennklockwood.com/garden/processors/A100",
    ),
    Peak(
        "H100 SXM, H200",
        r"NVIDIA (H100 80GB HBM3|H200)",
        HOPPER,
        "NVIDIA's figures for H100 SXM5 and H200, as quoted by "
        "glennklockwood.com/garden/processors/h100",
    ),
    Peak(
        "V100 SXM2",
        r"(Tesla|NVIDIA) V100-SXM2-\w+",
        {"fp32": 15.7, "fp16": 125},
        "NVIDIA, Programming Tensor Cores in CUDA 9 (2017), for 125; 15.7 is 5,120 cores x 2 x "
        "1.53 GHz",
    ),
    Peak(
        "T4",
        r"(Tesla|NVIDIA) T4",
        {"fp32": 8.1, "fp16": 65},
        "NVIDIA's announcement, as reported by Geektopia, 13 September 2018",
    ),
)


def peak(device_name):
    """The Peak of a device as TensorFlow names it, or None; a part of a GPU (MIG) has none."""
    return next((p for p in PEAKS if re.fullmatch(p.names, device_name)), None)


def rate(device_name, precision):
    """Peak FLOP/s of one GPU, or None where no cited table has it."""
    found = peak(device_name)
    tflops = found and found.tflops.get("fp16" if precision == "mixed" else precision)
    return tflops and tflops * 1e12


def family(device_name):
    """A100, V100 ...: what two names of one GPU have in common, or None."""
    found = re.search(r"\b(A100|V100|T4|H100|H200)\b", device_name)
    return found and found[1]
