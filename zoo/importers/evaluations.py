"""How each published file was evaluated: image preparation, normalisation, class names.

The sources of every row are in sources.md. Means and deviations are RGB, in pixel units.
"""

import dataclasses

from zoo.contract import InputContract
from zoo.specs import find

# ImageNet's RGB mean and deviation as Torch's nets have them, in fractions of white.
TORCH_MEAN, TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# keras.applications' "caffe" mode, the numbers of VGG: BGR 103.939, 116.779, 123.68, no division.
KERAS_MEAN, ONE = (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)
# The authors subtract a mean image (--mean_file); this is its average, which they give as the way
# to have three numbers (github.com/KaimingHe/deep-residual-networks/issues/5).
AUTHORS_MEAN = (123.15163, 115.902885, 103.06262)


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The contract of an image, then (pixel - mean) / std, and whose class names these are."""

    input: InputContract
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    classes: str = "imagenet"

    @property
    def scale(self):
        return tuple(1.0 / deviation for deviation in self.std)


def _torch(image_size, resize_px, method="bilinear", *, mean=TORCH_MEAN, std=TORCH_STD, **more):
    """Torch's normalisation, of fractions of white, and torchvision's rounding of sizes."""
    contract = InputContract(image_size, resize_px, method, rounding="torch")
    white = 255.0
    return Evaluation(
        contract, tuple(white * x for x in mean), tuple(white * x for x in std), **more
    )


EVALUATIONS = {
    "caffe": Evaluation(InputContract(224, 256, "bicubic"), AUTHORS_MEAN, ONE),
    "keras_applications": Evaluation(InputContract(224, 256), KERAS_MEAN, ONE),
    "torchvision_v1": _torch(224, 256),
    "torchvision_v2": _torch(224, 232),
    "timm_224": _torch(224, 235, "bicubic"),  # crop_pct 0.95: floor(224 / 0.95)
    "timm_256": _torch(224, 256, "bicubic"),  # crop_pct 0.875
    "timm_288": _torch(288, 288, "bicubic"),  # test_input_size 288, test_crop_pct 1.0
    "timm_288_half": _torch(288, 288, "bicubic", mean=(0.5,) * 3, std=(0.5,) * 3),
    "hugging_face": _torch(224, 256, "bicubic"),
    "cifar10_imagenet_mean": _torch(32, 32, classes="cifar10"),
    "cifar10": _torch(
        32, 32, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010), classes="cifar10"
    ),
    "cifar100": _torch(
        32, 32, mean=(0.5070, 0.4865, 0.4409), std=(0.2673, 0.2564, 0.2761), classes="cifar100"
    ),
}


def default(layout, network):
    """The evaluation most published files of a layout have had: -> a key of EVALUATIONS."""
    if find(network.name).stem == "cifar":
        if network.num_classes == 100:
            return "cifar100"
        return "cifar10_imagenet_mean" if layout.name == "common CIFAR" else "cifar10"
    return {
        "Caffe": "caffe",
        "keras.applications": "keras_applications",
        "Hugging Face": "hugging_face",
        "torchvision": "torchvision_v1",
        "torchvision in a Sequential": "torchvision_v1",
        "common CIFAR": "torchvision_v1",
        "ONNX": "torchvision_v1",
    }[layout.name]
