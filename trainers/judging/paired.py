"""Two networks' mistakes on the same images, compared: is one better, or is it chance? By numpy."""

import dataclasses

import numpy as np

DRAWS = 2000
LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Difference:
    """By how much the first's error is above the second's, as fractions.

    `low` and `high` are the ends of a bootstrap interval of LEVEL; `p` is McNemar's, one a seed.
    """

    mean: float
    low: float
    high: float
    p: tuple[float, ...]

    @property
    def shows(self):
        """Whether the interval leaves out zero: then one of the two is better."""
        return self.low > 0 or self.high < 0

    def __neg__(self):
        """The same with the two exchanged."""
        return Difference(-self.mean, -self.high, -self.low, self.p)

    def __str__(self):
        ends = f"{100 * self.low:+.2f} to {100 * self.high:+.2f}"
        return f"{100 * self.mean + 0.0:+.2f} points ({ends})"  # without it -0.00


def difference(one, other, draws=DRAWS, seed=0):
    """Which images are wrong, (S, N) and (S, N) bool, one row a seed: -> Difference.

    A bootstrap (Efron 1979) of pairs: each draw takes as many images, and as many seeds, as there
    are, with replacement, the same ones for both. So the interval is of other images of the kind
    and of other seeds; with one seed of these very networks. Percentiles.
    """
    one, other = np.atleast_2d(one), np.atleast_2d(other)
    if one.shape != other.shape or not one.size:
        raise ValueError(f"expected the same seeds and images, got {one.shape} and {other.shape}")
    pairs = one.astype(np.float64) - other
    seeds, images = pairs.shape
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    for draw in range(draws):
        times = np.bincount(rng.integers(images, size=images), minlength=images)
        means[draw] = (pairs @ times / images)[rng.integers(seeds, size=seeds)].mean()
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    p = tuple(mcnemar(a, b) for a, b in zip(one, other))
    return Difference(float(pairs.mean()), float(low), float(high), p)


def mcnemar(one, other):
    """McNemar's exact test: (N,) and (N,) bool -> the two-sided p of a difference as large.

    Images that both or neither get wrong say nothing. Of the others, were the two networks equally
    good, each would be either's mistake with probability 1/2.
    """
    one, other = np.asarray(one, bool), np.asarray(other, bool)
    return sign_test(int(np.sum(one & ~other)), int(np.sum(~one & other)))


def sign_test(first, second):
    """2 P(X <= min) of a binomial X with p = 1/2 and n = first + second, at most 1; exact."""
    n, term, tail = first + second, 1, 0
    for k in range(min(first, second) + 1):
        tail += term
        term = term * (n - k) // (k + 1)  # n choose k + 1
    return min(1.0, 2 * tail / 2**n)
