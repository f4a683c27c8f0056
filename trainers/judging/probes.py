"""How much of the classes is in the features: nearest neighbours, and a linear classifier."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LEARNED_FROM = 10_000  # training images at most: a probe of a minute, not of an hour
ITERATIONS = 300


class ProbeError(ValueError):
    """Features from which nothing can be learned."""


def scores(train, held_out, neighbours=10):
    """Errors on the held-out embeddings of what the training embeddings teach: -> a dict.

    Nearest neighbours vote by the cosine of the vectors. The linear probe is a multinomial
    logistic regression with scikit-learn's L2 penalty (C = 1) on standardised features.
    """
    if len(np.unique(train.labels)) < 2:
        raise ProbeError("a score needs training images of two classes at least, got one class")
    chosen = np.random.default_rng(0).permutation(len(train.labels))[:LEARNED_FROM]
    vectors, labels = train.flat[chosen], train.labels[chosen]
    neighbours = min(neighbours, len(labels))
    voters = KNeighborsClassifier(neighbours, metric="cosine").fit(vectors, labels)
    linear, converged = linear_probe(vectors, labels)
    return {
        "train_images": len(labels),
        "validation_images": len(held_out.labels),
        "neighbours": neighbours,
        "neighbours_error": error(voters, held_out),
        "linear_error": error(linear, held_out),
        "linear_train_error": float(np.mean(linear.predict(vectors) != labels)),
        "linear_converged": converged,
    }


def linear_probe(vectors, labels):
    """The classifier, and whether its training came to its end: -> (pipeline, bool)."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=ITERATIONS))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(vectors, labels)
    return classifier, not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def error(classifier, embeddings):
    return float(np.mean(classifier.predict(embeddings.flat) != embeddings.labels))


def as_text(found):
    unfinished = "" if found["linear_converged"] else f", not converged in {ITERATIONS} iterations"
    return (
        f"of {found['train_images']:,} training images, on {found['validation_images']:,} others:\n"
        f"  {found['neighbours']} nearest neighbours, error {found['neighbours_error']:8.2%}\n"
        f"  linear probe, error          {found['linear_error']:8.2%} "
        f"(training {found['linear_train_error']:.2%}{unfinished})"
    )
