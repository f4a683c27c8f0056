"""The random half of an image's way: crops, mirrors, colours, mixtures, all drawn beforehand."""

from trainers.data.augment.augmentation import (
    KINDS,
    MORE_DRAWS,
    PCA_EIGENVECTORS,
    Augmentation,
    apply,
    each,
    pad_crop_mirror,
    pca_color,
)

__all__ = [
    "KINDS",
    "MORE_DRAWS",
    "PCA_EIGENVECTORS",
    "Augmentation",
    "apply",
    "each",
    "pad_crop_mirror",
    "pca_color",
]
