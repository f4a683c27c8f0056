"""How far an artifact is from the network it came from, and how far it may be."""

import dataclasses

import numpy as np

TOP = 5


@dataclasses.dataclass(frozen=True)
class Gate:
    """What an artifact of one format must reach, and why so much; None asks for nothing."""

    top1: float  # least share of images with the same first class
    reason: str
    largest: float | None = None  # of the largest logit
    rms: float | None = None  # of the logits' own root mean square


# The reasons are measured: largest differences on ResNet-50 with ImageNet weights and on trained
# CIFAR nets. Each gate is a few times the natural deviation and far below any wrong network's.
FLOAT32 = Gate(0.99, "same operations, rounded in another order: 5e-6", largest=2e-5)
FLOAT16 = Gate(0.99, "weights rounded to 11 bits: 3e-3", largest=1e-2)
INTEGER = Gate(0.98, "weights, or all values, of 8 bits: rms 0.03 to 0.1", rms=0.15)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two sets of logits for the same images; accuracies are None where no label is known."""

    images: int
    largest: float
    rms: float
    top1: float
    top5: float
    source_accuracy: float | None = None
    artifact_accuracy: float | None = None


def compare(expected, found, labels=None):
    """Logits of the source and of the artifact, (N, classes) each -> Comparison.

    `top1` is the share of images whose first class is the same, `top5` of those whose first class
    is among the artifact's five. ValueError unless the shapes are equal and all is finite.
    """
    expected, found = np.float64(expected), np.float64(found)
    if expected.shape != found.shape:
        raise ValueError(f"expected logits of shape {expected.shape}, got {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"{np.sum(~np.isfinite(found))} of {found.size} logits are not finite")
    if not expected.any():
        raise ValueError("the network answers every image with zeros: there is nothing to compare")
    difference = np.abs(expected - found)
    first = expected.argmax(axis=1)
    best = np.argsort(-found, axis=1, kind="stable")[:, :TOP]
    accuracies = {}
    if labels is not None:
        accuracies = dict(
            source_accuracy=float(np.mean(first == labels)),
            artifact_accuracy=float(np.mean(best[:, 0] == labels)),
        )
    return Comparison(
        images=len(expected),
        largest=float(difference.max() / np.abs(expected).max()),
        rms=float(np.sqrt(np.mean(difference**2) / np.mean(expected**2))),
        top1=float(np.mean(first == best[:, 0])),
        top5=float(np.mean((first[:, None] == best).any(axis=1))),
        **accuracies,
    )


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def misses(comparison, gate):
    """One sentence for each condition of the gate that the comparison does not meet."""
    found = []
    images = comparison.images
    changed = round((1 - comparison.top1) * images)
    if changed > max(1, (1 - gate.top1) * images):  # one tie may fall either way in a small set
        found.append(
            f"the first class is the same on {comparison.top1:.2%} of {images} images, "
            f"expected at least {gate.top1:.0%}"
        )
    for name, limit in (("largest", gate.largest), ("rms", gate.rms)):
        value = getattr(comparison, name)
        if limit is not None and not value <= limit:
            found.append(f"{name} difference of the logits {value:.2g}, expected at most {limit:g}")
    return found
