"""Proposals of a localiser (App. C): the likeliest boxes of a class on a picture."""

import tensorflow as tf

from zoo.detection import anchors as anchor
from zoo.detection import nms, proposals
from zoo.localisation.locate import cells_of


def proposing(model, localiser, asked):
    """A function: pixels (B, H, W, 3), sizes (B, 2), kinds (B, G) -> boxes, how many (B, G).

    Boxes (B, G, asked.after, 4) are those of each kind, best first, after an NMS as the RPN's own;
    rows beyond the count are 0. A kind is a class, or 0 of what has one box for all classes. As in
    `locate`, anchors across the picture's border have no say.
    """

    def propose(pixels, sizes, kinds):
        maps, logits, deltas = model(pixels, training=False)
        cells = cells_of(localiser, maps)
        inside = anchor.inside(cells[None], sizes[:, None])
        logits = tf.where(inside[..., None], logits, nms.NEVER)
        places = tf.reshape(kinds, [-1])
        pictures = tf.repeat(tf.range(tf.shape(kinds)[0]), tf.shape(kinds)[1])

        def one(place):
            picture, kind = place
            of_kind = logits[picture, :, kind], deltas[picture, :, kind]
            boxes, _, count = proposals.propose(*of_kind, cells, sizes[picture], asked)
            return boxes, count

        kinds_of_output = tf.TensorSpec((asked.after, 4)), tf.TensorSpec((), tf.int32)
        found = tf.map_fn(one, (pictures, places), fn_output_signature=kinds_of_output)
        boxes, counts = (tf.reshape(x, [*tf.unstack(tf.shape(kinds)), *x.shape[1:]]) for x in found)
        return boxes, counts

    return propose
