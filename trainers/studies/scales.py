"""What a study trains on, the demo's data or the paper's, and what its report says of that."""

import os
import pathlib

from trainers.studies import jobs
from zoo import specs

# Fashion-MNIST where it is prepared, shrunk to 8x8 for two CPU cores. Its 10,000 held-out images
# tell errors apart that digits' 355 cannot.
FASHION = {
    "data": "fashion_mnist",
    "recipe": "cifar10",
    "image_size": "8",
    "pad_px": "1",
    "batch_size": "64",
    "learning_rate": "0.01",
    "steps": "600",
    "round_steps": "120",
}
DATA = {"cifar": "CIFAR-10", "imagenet": "ImageNet"}
FULL_STEPS = {"cifar": 64_000, "imagenet": 600_000}  # Sec. 4.2, 3.4

OF_FASHION = (
    "Demo scale: Fashion-MNIST, 60,000 images shrunk to {px}x{px} pixels to train, and the set's "
    "10,000 test images to judge by (nothing is chosen by them), {steps:,} steps of batch 64 at a "
    "learning rate of 0.01, divided by 10 after a half and three quarters of them, unless a row "
    "says otherwise. That is {epochs:.1f} epochs where the paper has 164. It shows which way an "
    "effect goes; the paper's figures are of other data, and stand here to be read beside ours, "
    "not to be met."
)


def base(net, options):
    """The flags that a scale gives a network: at the paper's scale those of its own data.

    ImageNet's nets are trained on ImageNet alone, CIFAR's on CIFAR-10, from 110 layers on with a
    warm-up: the paper says nothing of one for 1202 layers, which need what 110 need.
    """
    if options.scale == "demo":
        return demo(options.data_dir)
    if stem(net) == "imagenet":
        return jobs.IMAGENET
    return jobs.WARMUP if specs.find(net).layers >= 110 else jobs.CIFAR


def stem(net):
    """Which family a network is of, and so which data: cifar or imagenet."""
    return specs.find(net).stem


def stem_of(label):
    """The family of a row such as "resnet20 B" or "resnet44, 0.1 at once"."""
    return stem(label.split(" ")[0].rstrip(","))


def families(labels):
    """{stem: labels}: nets of one family share axes, tables and sentences, of two they do not."""
    found = {}
    for label in labels:
        found.setdefault(stem_of(label), []).append(label)
    return found


def demo(data_dir=None):
    """The demo's flags. StudyError where a directory is given that has no Fashion-MNIST."""
    place = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    place = pathlib.Path(place).expanduser()
    if list(place.glob("fashion_mnist/*/dataset_info.json")):
        return FASHION
    if data_dir:
        raise jobs.StudyError(
            f"--data_dir: expected Fashion-MNIST in {str(place)[-80:]}, found none: prepare it by "
            "python -m trainers.data.prepare --data=fashion_mnist --data_dir=DIR, or leave the "
            "flag out for scikit-learn's digits"
        )
    return jobs.DEMO


def caveat(options, nets, px=FASHION["image_size"]):
    """What a report says of its scale; full scale is the paper's recipe to its last step."""
    if options.scale == "demo":
        if demo(options.data_dir) is jobs.DEMO:
            return jobs.CAVEAT["demo"]
        steps = options.steps or int(FASHION["steps"])
        return OF_FASHION.format(px=px, steps=steps, epochs=steps * 64 / 60_000)
    changed = " ".join(f"--{name}={value}" for name, value in options.engine.items())
    told = f" Changed: {changed}." if changed else ""
    full = {FULL_STEPS[stem] for stem in families(nets)}
    if options.steps in (None, *full) and (options.steps is None or len(full) == 1):
        return jobs.CAVEAT["paper"] + told
    return (
        f"Not full scale: the paper's data and recipe, but {options.steps:,} steps where it has "
        f"{' and '.join(f'{steps:,}' for steps in sorted(full))}; the rate is divided at the same "
        f"fractions of them.{told}"
    )
