"""This project's detector, by its own trainer and its own inference."""

from benchmarks.detection import cases

NETWORK = "resnet50"


def detector(stride):
    import zoo
    from zoo.detection.specs import Detector

    return Detector(
        network=zoo.Network(NETWORK, 1, None, "B", stride=stride),
        num_classes=cases.CLASSES,
        sizes=cases.ANCHORS,
        ratios=cases.RATIOS,
        bins=cases.BINS,
        rpn_filters=cases.RPN_FILTERS,
        proposals_before=cases.BEFORE,
        proposals=cases.REGIONS,
        least_score=cases.SCORE,
        nms_iou=cases.NMS,
        detections=cases.DETECTIONS,
    )


def network(described):
    """Built, batch normalisation frozen, all else to train."""
    from zoo.detection.network import build_detector
    from zoo.surgery import head

    model = build_detector(described)
    head.freeze(model, batch_norm=True)
    for layer in model.layers:
        if layer.name.endswith("_3_bn"):
            layer.gamma.assign(cases.GAMMA * layer.gamma)
    return model


def both(stride):
    """A contender: both figures, one network after the other."""
    return {**step(stride), **inference(stride)}


def step(stride):
    """A training step, by the engine that every run has."""
    import dataclasses

    import tensorflow as tf

    from trainers.engine import optim, steps
    from trainers.engine.detection.task import detection
    from trainers.plan.detection.recipes import RECIPES

    rate, momentum, decay = cases.SGD
    recipe = dataclasses.replace(
        RECIPES["coco"],
        learning_rate=rate,
        momentum=momentum,
        weight_decay=decay,
        train_proposals_before=cases.TRAIN_BEFORE,
        train_proposals=cases.TRAIN_AFTER,
        regions=cases.REGIONS,
    )
    described = detector(stride)
    model = network(described)
    optimizer = optim.momentum_sgd(recipe)
    optimizer.build(model.trainable_variables)
    task = detection(model, described, recipe)
    advance = steps.trainer(model, optimizer, tf.distribute.get_strategy(), task=task)
    batches = iter(tf.data.Dataset.from_tensors(batch()).repeat())
    return cases.least("step", lambda: float(advance(batches, 1)[0].totals[0]))


def batch():
    """The picture as the pipelines give it: images, targets, index."""
    import numpy as np

    pixels, boxes, classes = cases.picture()
    targets = {
        "boxes": boxes[None],
        "classes": classes[None],
        "ignore": np.zeros((1, len(boxes)), bool),
        "size": np.array([[cases.HEIGHT, cases.WIDTH]], np.int32),
        "key": np.array([[0, 0]], np.int64),
    }
    return pixels[None], targets, np.array([0], np.int64)


def inference(stride):
    """A picture's detections, by the function that evaluation and `trainers.predict` have."""
    import tensorflow as tf

    from trainers.judging.detection import look

    described = detector(stride)
    detect = look.detecting(network(described), described)
    pixels, targets, _ = batch()
    pixels, size = tf.constant(pixels), tf.constant(targets["size"])

    def one():
        return float(tf.reduce_sum(detect(pixels, size).scores))

    return cases.least("picture", one)
