"""Training recipes: frozen data, the paper's by section. A flag may change one number of it."""

import dataclasses


def setting(help_, default=dataclasses.MISSING):
    """A field whose help becomes its flag's."""
    return dataclasses.field(default=default, metadata={"help": help_})


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train; durations in optimizer steps, drops as fractions of all steps."""

    name: str
    source: str
    data: str
    model: str
    batch_size: int = setting("images a step, over all devices")
    steps: int = setting("optimizer steps in all")
    round_steps: int = setting("steps between evaluations")
    learning_rate: float = setting("learning rate at its highest")
    schedule: str = setting("how the learning rate falls: step or cosine", "step")
    drops: tuple[float, ...] = setting("where it is divided by 10, as fractions of all steps", ())
    warmup_steps: int = setting("steps at the warm-up learning rate first", 0)
    warmup_learning_rate: float = setting("learning rate of the warm-up", 0.0)
    momentum: float = setting("of the velocity; weighs the old value", 0.9)
    weight_decay: float = setting("added to the gradient as weight_decay * kernel", 1e-4)
    augmentation: str = setting("none, pad_crop or scale_jitter", "pad_crop")
    pad_px: int = setting("pad_crop: pixels padded on each side", 4)
    mirror: bool = setting("mirror every second image", True)
    color: bool = setting("PCA colour noise", False)
    image_size: int | None = setting("side of the network's input, px; default: the images'", None)
    resize_px: int | None = setting("shorter side before the crop, px; default: image_size", None)
    mean: str = setting("what is subtracted: a pixel's mean or a channel's", "pixel")
    batch_norm: str = setting(
        "statistics of each replica's own images, as in the paper, or synchronized over all: "
        "slower, but the same numbers on any count of devices",
        "replica",
    )
    freeze: str | None = setting("with --init_from: what stays as it came, up to a stage", None)
    freeze_bn: bool | None = setting(
        "with --init_from, and then the default: batch normalisation stays in inference mode", None
    )
    backbone_rate: float | None = setting(
        "with --init_from: the backbone's learning rate as a share of the head's", None
    )

    def __post_init__(self):
        for name in ("batch_size", "steps", "round_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "weight_decay", "warmup_steps", "pad_px", "backbone_rate"):
            if not (getattr(self, name) or 0) >= 0:
                raise ValueError(f"{name}: expected at least 0, got {getattr(self, name)}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: expected 0 <= momentum < 1, got {self.momentum}")
        if list(self.drops) != sorted(self.drops) or not all(0 < d < 1 for d in self.drops):
            raise ValueError(f"drops: expected rising fractions between 0 and 1, got {self.drops}")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known and (name != "freeze" or self.freeze):
                raise ValueError(
                    f"{name}: expected one of {', '.join(known)}, got {getattr(self, name)!r}"
                )


CHOICES = {
    "schedule": ("step", "cosine"),
    "augmentation": ("none", "pad_crop", "scale_jitter"),
    "mean": ("channel", "pixel"),
    "batch_norm": ("replica", "synchronized"),
    "freeze": ("none", "conv1", "conv2", "conv3", "conv4", "conv5", "backbone"),
}

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
            source="Sec. 4.2, ResNet-110: 0.01 for about 400 iterations, then as cifar10",
            model="resnet110",
            warmup_steps=400,
            warmup_learning_rate=0.01,
        ),
        Recipe(
            name="imagenet",
            source="Sec. 3.4; where the error plateaus is read off Fig. 4: 15e4 and 30e4",
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
