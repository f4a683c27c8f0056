"""The detector's own operations beside TensorFlow's, by turns in one process."""

import functools

from absl import flags

from benchmarks import clock, harness

MAP, STRIDE, BINS, REGIONS = (38, 63, 1024), 16, 14, 128  # conv4 of a picture of 600 x 1000
BEFORE, AFTER, IOU = 6000, 300, 0.7


def rounds():
    return 2 if flags.FLAGS.quick else 10


def regions():
    """RoIAlign beside crop_and_resize, also of twice the bins and their mean: as many samples."""
    import tensorflow as tf

    from zoo.detection import roi

    rng = tf.random.Generator.from_seed(0)
    maps = tf.Variable(rng.normal((1, *MAP)))
    boxes = some_boxes(rng, REGIONS)

    def cropped(bins):
        height, width = MAP[0] * STRIDE, MAP[1] * STRIDE
        share = boxes / tf.constant([height, width, height, width], tf.float32)
        return tf.image.crop_and_resize(maps, share, tf.zeros(REGIONS, tf.int32), [bins, bins])

    pools = {
        "align": lambda: roi.align(maps, boxes[None], STRIDE, BINS),
        "align_even_bins": lambda: roi.align(maps, boxes[None], STRIDE, BINS, even=True),
        "crop_and_resize": lambda: cropped(BINS),
        "crop_and_resize_of_7_bins": lambda: cropped(BINS // 2),
        "crop_and_resize_and_mean": lambda: tf.nn.avg_pool2d(cropped(2 * BINS), 2, 2, "VALID"),
    }
    return harness.by_turns({name: both_ways(maps, pool) for name, pool in pools.items()}, rounds())


def both_ways(maps, pool):
    """A contender: seconds forward, and with the gradient of the map."""
    import tensorflow as tf

    forward = tf.function(lambda: tf.reduce_sum(pool()))

    @tf.function
    def backward():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(pool() ** 2)
        return tape.gradient(loss, maps)

    return lambda: {
        "seconds_forward": seconds(forward),
        "seconds_forward_and_backward": seconds(backward),
    }


def suppression():
    """NMS from BEFORE boxes to AFTER."""
    import tensorflow as tf

    rng = tf.random.Generator.from_seed(0)
    boxes, scores = some_boxes(rng, BEFORE), rng.uniform((BEFORE,))
    asked = dict(boxes=boxes, scores=scores, max_output_size=AFTER, iou_threshold=IOU)
    least = tf.float32.min
    raw = dict(asked, score_threshold=least, pad_to_max_output_size=True)
    operators = {
        "v4": lambda: tf.raw_ops.NonMaxSuppressionV4(**raw),
        "v5": lambda: tf.raw_ops.NonMaxSuppressionV5(**raw, soft_nms_sigma=0.0),
        "padded": lambda: tf.image.non_max_suppression_padded(**asked, pad_to_max_output_size=True),
    }
    operators = {name: tf.function(operator) for name, operator in operators.items()}
    first = [operator()[0].numpy().tolist() for operator in operators.values()]
    if first[1:] != first[:-1]:
        raise ValueError("expected the same boxes of all, in the same order")
    return harness.by_turns(
        {name: functools.partial(once, operator) for name, operator in operators.items()}, rounds()
    )


def once(operator):
    return {"seconds": seconds(operator)}


def some_boxes(rng, count):
    """(count, 4) px in the picture that MAP is of, of sides of 60 to 400 px."""
    import tensorflow as tf

    extent = tf.constant([MAP[0] * STRIDE, MAP[1] * STRIDE], tf.float32)
    sides = rng.uniform((count, 2), 60.0, 400.0)
    corners = rng.uniform((count, 2)) * (extent - sides)
    return tf.concat([corners, corners + sides], axis=1)


def seconds(function):
    """Of one call; the first, which traces it, is not timed."""
    if not getattr(function, "warm", False):
        function()
        function.warm = True
    start = clock.now()
    result = function()
    for tensor in result if isinstance(result, (list, tuple)) else [result]:
        tensor.numpy()
    return clock.since(start)


GROUPS = {"regions": regions, "suppression": suppression}
PEER = {"regions": "crop_and_resize", "suppression": "v5"}
GOALS = {}
