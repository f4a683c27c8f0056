"""Photographs to time an input pipeline with, made of the two that scikit-learn has."""

PICTURES = 200


def write(folder, count=PICTURES):
    """`count` parts of the two photographs, 500 x 400, JPEGs of about 110 kB each."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_sample_images

    folder.mkdir(parents=True)
    photographs, rng = load_sample_images().images, np.random.default_rng(0)
    for number in range(count):
        top, left = rng.integers(0, 27), rng.integers(0, 140)
        part = photographs[number % 2][top : top + 400, left : left + 500]
        Image.fromarray(part).save(folder / f"{number:03}.jpg", quality=97)
