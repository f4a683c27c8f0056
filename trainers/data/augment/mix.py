"""Two images made one: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019), labels shared alike.

Images are mixed by neighbouring pairs of the batch, whose order is random anyway: so a replica
needs no image of another, and any number of replicas sees the same global batch. As in
torchvision, one draw serves a whole batch, and with both asked for each is taken half the time.
"""

import tensorflow as tf


def draws(seed: int, step, mixup: float, cutmix: float):
    """What decides the mixture of a batch: (5,) float32, of which `mix` knows the meaning."""
    key = tf.random.fold_in(tf.stack([tf.cast(seed, tf.int64), step]), 3)
    share = [beta(tf.random.fold_in(key, i), alpha) for i, alpha in enumerate((mixup, cutmix))]
    uniforms = tf.random.stateless_uniform((3,), tf.random.fold_in(key, 2), alg="philox")
    return tf.concat([share, uniforms], axis=0)


def beta(key, alpha: float):
    """A draw of the Beta(alpha, alpha) distribution: -> () float32, 1 where alpha is 0."""
    if not alpha:
        return tf.ones(())
    first, second = tf.unstack(tf.random.stateless_gamma((2,), key, alpha))
    # Both are 0 in float32 now and then for a small alpha: then the image stays as it is.
    return tf.where(first + second > 0, first / tf.maximum(first + second, 1e-37), 1.0)


def mix(images, labels, numbers, classes: int, kinds):
    """(b, S, S, 3), (b,) -> (b, S, S, 3) float32, (b, classes) float32; `kinds` (mixup, cutmix).

    Raises ValueError for an odd b.
    """
    if images.shape[0] % 2:
        raise ValueError(
            f"mixup and cutmix take images by pairs, and {images.shape[0]} images a replica are "
            "odd: take another --batch_size"
        )
    images, partners = tf.cast(images, tf.float32), swapped(tf.cast(images, tf.float32))
    with_mixup, with_cutmix = kinds
    by_mixup = with_mixup and (not with_cutmix or numbers[2] < 0.5)
    blended, blended_share = mixup(images, partners, numbers[0])
    pasted, pasted_share = cutmix(images, partners, numbers[1], numbers[3:])
    images = tf.where(by_mixup, blended, pasted)
    share = tf.where(by_mixup, blended_share, pasted_share)
    own = tf.one_hot(labels, classes)
    return images, own * share + swapped(own) * (1.0 - share)


def swapped(rows):
    """Each pair of neighbours exchanged: (b, ...) -> (b, ...)."""
    pairs = tf.reshape(rows, (-1, 2, *rows.shape[1:]))
    return tf.reshape(pairs[:, ::-1], rows.shape)


def mixup(images, partners, share):
    """Every pixel a weighted mean, `share` of it the image's own."""
    return images * share + partners * (1.0 - share), share


def cutmix(images, partners, share, centre):
    """A rectangle of about 1 - share of the area from the partner, and the share that is left.

    It has the image's proportions and `centre` (2,) in [0, 1) anywhere, cut at the border.
    """
    height, width = images.shape[1:3]
    half = tf.sqrt(1.0 - share) / 2
    rows = inside(height, centre[0], half)
    columns = inside(width, centre[1], half)
    mask = (rows[:, None] & columns[None, :])[None, :, :, None]
    own = 1.0 - tf.reduce_mean(tf.cast(mask, tf.float32))
    return tf.where(mask, partners, images), own


def inside(side: int, centre, half):
    """Which pixels of a side lie within half of a rectangle's relative length: -> (side,) bool."""
    middle = tf.floor(centre * side)
    reach = tf.floor(half * side)
    place = tf.range(side, dtype=tf.float32)
    return (place >= middle - reach) & (place < middle + reach)
