"""Training recipes: frozen data, the paper's by section. A flag may change one number of it."""

import dataclasses

from trainers.plan import checks
from trainers.plan.course import Course, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe(Course):
    """How to train a classifier."""

    label_smoothing: float = setting("share of each label spread over all classes", 0.0)
    class_weights: str | None = setting(
        "what a class counts in the training loss: balanced, or a JSON or CSV file (class,weight)",
        None,
    )
    mixup: float = setting("alpha of the mixture of two images, 0 for none", 0.0)
    cutmix: float = setting("alpha of the rectangle out of another image, 0 for none", 0.0)
    augmentation: str = setting("none, pad_crop, scale_jitter or random_resized_crop", "pad_crop")
    policy: str = setting(
        "changes of colour and shape besides: trivial (one of any strength), rand (RandAugment: "
        "two of strength 9 of 30) or none",
        "none",
    )
    erase: float = setting("share of the images that lose a random rectangle", 0.0)
    pad_px: int = setting("pad_crop: pixels padded on each side", 4)
    mirror: bool = setting("mirror every second image", True)
    color: bool = setting("PCA colour noise", False)
    image_size: int | tuple[int, int] | None = setting(
        "side of the network's input, px, or height x width such as 192x256; default: the images'",
        None,
    )
    resize_px: int | None = setting(
        "shorter side before the crop, px; default: in the recipe's proportion to image_size", None
    )
    mean: str = setting("what is subtracted: a pixel's mean or a channel's", "pixel")
    hold_out: int | None = setting(
        "training images to validate on where that would be on a test set, as cifar10's; default: "
        "5000 for plateau and early stop, else none",
        None,
    )
    freeze: str | None = setting("with --init_from: what stays as it came, up to a stage", None)
    freeze_bn: bool | None = setting(
        "with --init_from, and then the default: batch normalisation stays in inference mode", None
    )
    backbone_rate: float | None = setting(
        "with --init_from: the backbone's learning rate as a share of the head's", None
    )

    def __post_init__(self):
        super().__post_init__()
        checks.check_pairs(self)

    @property
    def pairs(self):
        return bool(self.mixup or self.cutmix)


_CIFAR10 = Recipe(
    name="cifar10",
    source="Sec. 4.2: 0.1, divided by 10 at 32k and 48k of 64k iterations",
    data="cifar10",
    model="resnet20",
    batch_size=128,
    steps=64_000,
    round_steps=1000,
    learning_rate=0.1,
    drops=(0.5, 0.75),
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="digits",
            source="this project's: 40 epochs of scikit-learn's digits in about a minute",
            data="digits",
            model="resnet8",
            batch_size=64,
            steps=900,
            round_steps=100,
            learning_rate=0.1,
            schedule="cosine",
            pad_px=1,
            mirror=False,
        ),
        _CIFAR10,
        dataclasses.replace(
            _CIFAR10,
            name="cifar10_warmup",
            source="Sec. 4.2, ResNet-110: 0.01 until the training error is below 80 % (about 400 "
            "iterations), then as cifar10",
            model="resnet110",
            warmup="error",
            warmup_steps=100,
            warmup_learning_rate=0.01,
        ),
        Recipe(
            name="imagenet",
            source="Sec. 3.4; where the error plateaus is read off Fig. 4: 15e4 and 30e4; "
            "--schedule=plateau decides it while training",
            data="imagenet2012",
            model="resnet50",
            batch_size=256,
            steps=600_000,
            round_steps=5000,
            learning_rate=0.1,
            drops=(0.25, 0.5),
            augmentation="scale_jitter",
            color=True,
            image_size=224,
            resize_px=256,
            mean="channel",
        ),
        # Published for ResNet-50 v1.5 (--stride=3x3): 80.674 % top-1 accuracy, 80.858 % with
        # repeated augmentation. Left out here: that, training at 176 px (FixRes), and testing at
        # 232 px. Its average moves every 32 steps by 1.1e-3 of the way; the same a step is 3.4e-5.
        Recipe(
            name="torchvision",
            source="V. Vryniotis 2021, How to Train State-Of-The-Art Models Using TorchVision's "
            "Latest Primitives: 600 epochs of ImageNet, pytorch.org/blog",
            data="imagenet2012",
            model="resnet50",
            batch_size=1024,
            steps=750_684,
            round_steps=5000,
            learning_rate=0.5,
            schedule="cosine",
            warmup="linear",
            warmup_steps=6256,
            warmup_learning_rate=0.005,
            weight_decay=2e-5,
            label_smoothing=0.1,
            mixup=0.2,
            cutmix=1.0,
            ema=0.999966,
            augmentation="random_resized_crop",
            policy="trivial",
            erase=0.1,
            image_size=224,
            resize_px=256,
            mean="channel",
        ),
        # What it leaves open is sized by the pictures: trainers/plan/sizing.py, with measurements.
        Recipe(
            name="folder",
            source="this project's: a few hundred pictures of one's own, from scratch, in minutes",
            data="folder",
            model="resnet18",
            batch_size=32,
            steps=None,
            round_steps=None,
            learning_rate=0.05,
            schedule="cosine",
            warmup="linear",
            warmup_steps=20,
            augmentation="pad_crop",
            mean="channel",
        ),
        # For images like the source's. Far from them all of the net had better learn, as
        # reports/finetune.md shows: --nofreeze_bn --backbone_rate=1 --learning_rate=0.1.
        Recipe(
            name="finetune",
            source="this project's: trained weights, a few images a class of one's own",
            data="folder",
            model="resnet50",
            batch_size=32,
            steps=400,
            round_steps=50,
            learning_rate=0.05,
            schedule="cosine",
            augmentation="scale_jitter",
            mean="channel",
            freeze_bn=True,
            backbone_rate=0.1,
        ),
    )
}


def default_for(data, stem):
    """The recipe's name when the user names none: the data's own, else that of the net's family."""
    for recipe in RECIPES.values():
        if recipe.data == data and not recipe.freeze_bn:  # which needs weights to start from
            return recipe.name
    return {"imagenet": "imagenet", "cifar": "cifar10"}[stem]
