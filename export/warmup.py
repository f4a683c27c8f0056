"""Requests that TensorFlow Serving runs before it takes traffic: the first call is slow.

The file is a TFRecord of tensorflow.serving.PredictionLog. Its few fields are encoded by hand:
the package that defines them, tensorflow-serving-api, would be a dependency for these forty bytes.
"""

import pathlib

import tensorflow as tf

RECORDS = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"


def write(directory, requests):
    """Requests to the signatures that clients call: [(signature, name of its input, value)]."""
    path = pathlib.Path(directory) / RECORDS
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as records:
        for request in requests:
            records.write(prediction_log(*request))


def prediction_log(signature, name, value):
    """PredictionLog { predict_log { request } }; field numbers of prediction_log.proto, 2.21."""
    tensor = tf.make_tensor_proto(value).SerializeToString(deterministic=True)
    model_spec = field(3, signature.encode())
    inputs = field(1, name.encode()) + field(2, tensor)
    request = field(1, model_spec) + field(2, inputs)
    return field(6, field(1, request))


def field(number, content):
    """A length-delimited protobuf field."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value):
    digits = []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])
