"""What `benchmarks.gpu` measures: its cases as data, and why a device cannot do some of them."""

import dataclasses
import itertools

# Keras' policy and whether float32 products may be TF32, by the name in tables.
PRECISIONS = {
    "fp32": ("float32", False),
    "tf32": ("float32", True),
    "bf16": ("mixed_bfloat16", True),
    "fp16": ("mixed_float16", True),
}
TENSOR_CORES = (8, 0)  # compute capability that has TF32 and bfloat16: Ampere


@dataclasses.dataclass(frozen=True)
class Case:
    """One measurement; `batch` is of one GPU, `input` is synthetic, folder or, served, pixels."""

    task: str
    precision: str
    tf32: bool
    xla: bool
    gpus: int
    input: str
    batch: int

    @property
    def short(self):
        """fp32, tf32, bf16 or fp16."""
        return next(s for s, kind in PRECISIONS.items() if kind == (self.precision, self.tf32))

    @property
    def name(self):
        """Such as train-tf32-xla-2x256-synthetic."""
        compiled = ["xla"] if self.xla else []
        shape = f"{self.gpus}x{self.batch}"
        return "-".join([self.task, self.short, *compiled, shape, self.input])


@dataclasses.dataclass(frozen=True)
class Plan:
    """What cases are made of: the devices there are, and the choices that are multiplied."""

    devices: int
    batch: int = 256
    served: tuple[int, ...] = (1, 32, 128)
    precisions: tuple[str, ...] = tuple(PRECISIONS)
    xla: tuple[bool, ...] = (False, True)


def cases(plan):
    """Training on noise, on pictures (without XLA), then serving; fewest GPUs first."""
    return [
        *(
            Case("train", *PRECISIONS[short], xla, gpus, "synthetic", plan.batch)
            for gpus, short, xla in itertools.product(counts(plan), plan.precisions, plan.xla)
        ),
        *(
            Case("train", *PRECISIONS[short], False, gpus, "folder", plan.batch)
            for gpus, short in itertools.product(counts(plan), plan.precisions)
        ),
        *(
            Case("serve", *PRECISIONS[short], xla, 1, "pixels", batch)
            for batch, short, xla in itertools.product(plan.served, plan.precisions, plan.xla)
        ),
    ]


def counts(plan):
    """1, 2, 4 ... and all: the numbers of GPUs that are tried."""
    powers = [2**n for n in range(plan.devices.bit_length()) if 2**n < plan.devices]
    return [*powers, plan.devices]


def refusal(case, device):
    """Why this device does not do the case, in a sentence; None if it does."""
    served, half = case.task == "serve", case.short in ("bf16", "fp16")
    if served and half and case.xla:
        return "TensorFlow's rewriting to half precision does not reach what XLA compiles"
    if served and case.short == "bf16" and device.kind == "GPU":
        return "TensorFlow rewrites a float32 export to float16 on GPUs, to bfloat16 on CPUs alone"
    if served and case.short == "fp16" and device.kind == "CPU":
        return "TensorFlow rewrites a float32 export to bfloat16 on CPUs, to float16 on GPUs alone"
    if case.short == "tf32" and device.kind == "CPU":
        return "TF32 is a format of GPUs"
    if case.short in ("tf32", "bf16") and (device.capability or TENSOR_CORES) < TENSOR_CORES:
        needed, there = (".".join(map(str, x)) for x in (TENSOR_CORES, device.capability))
        return f"{case.short} needs compute capability {needed}, this device has {there}"
    return None
