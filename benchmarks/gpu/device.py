"""What the figures of `benchmarks.gpu` are taken on."""

import dataclasses
import subprocess


@dataclasses.dataclass(frozen=True)
class Device:
    """What TensorFlow says of the machine; `kind` is GPU or CPU."""

    kind: str
    count: int
    names: tuple[str, ...] = ()
    capability: tuple[int, int] | None = None
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None

    @property
    def name(self):
        return self.names[0] if self.names else self.kind


def describe():
    """The fields of a Device, as TensorFlow and the driver's own tool tell them."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capabilities = [d["compute_capability"] for d in details if "compute_capability" in d]
    build = tf.sysconfig.get_build_info()
    device = Device(
        kind="GPU" if gpus else "CPU",
        count=len(gpus) or 1,
        names=tuple(d.get("device_name", "unknown GPU") for d in details),
        capability=min(capabilities, default=None),
        driver=driver(),
        cuda=build.get("cuda_version"),
        cudnn=build.get("cudnn_version"),
    )
    return dataclasses.asdict(device)


def driver():
    """The NVIDIA driver's version, or None."""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(answer.stdout.split()), None)
