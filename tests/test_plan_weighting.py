"""Class weights: whose loss counts how much, by scikit-learn's, Keras' and hand's reckoning."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as convert
from runs_on_digits import records
from sklearn.utils.class_weight import compute_class_weight

import trainers
from trainers.data import sources
from trainers.data.sources import listing
from trainers.engine import distribute, metrics, steps
from trainers.plan import weighting
from zoo.limits import LimitError

NAMES = ("cat", "dog, big", "Café – 猫 $5")
WEIGHTS = (0.5, 4.0, 1.5)
LABELS = np.array([0, 0, 0, 1, 2, 0, 1, 0], np.int32)
LOGITS = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
SHORT = dict(steps=20, round_steps=10, batch_size=16, pictures=False, verbose=False)


def source(labels=LABELS, names=NAMES):
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    return sources.in_memory("x", "train", names, images, labels)


def test_balanced_weights_are_scikit_learns():
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert weighting.balanced(weighting.counts(source())) == pytest.approx(expected)
    folder = [listing.Picture(f"{i}.png", NAMES[label]) for i, label in enumerate(LABELS)]
    listed = sources.Source("folder", "train", NAMES, 8, None, None, pictures=tuple(folder))
    assert weighting.counts(listed) == [5, 2, 1]
    assert weighting.balanced([2, 0, 2]) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("form", ["{}", "class,weight\n{}", "\ufeff{}\n\n"])
def test_a_file_is_read_and_kept_as_one_line(tmp_path, form):
    """A table with and without a header or a mark of its encoding; and JSON."""
    given = dict(zip(NAMES, WEIGHTS))
    path = tmp_path / "weights"
    rows = "\n".join(f'"{name}",{weight}' for name, weight in given.items())
    for text in (form.format(rows), json.dumps(given), json.dumps(given, indent=1)):
        path.write_text(text, encoding="utf-8")
        line = weighting.read(str(path))
        assert json.loads(line) == given and line.isascii() and "\n" not in line
        assert weighting.read(line) == line  # as a run's flags.txt has it


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": -1}', "class_weights of 'a': expected a number from 0 to 1e+06, got -1"),
        ('{"a": NaN}', "got nan"),
        ('{"a": "1"}', "got '1'"),
        ('{"a": 0}', "expected a weight above 0, got none"),
        ('{"a"', "a JSON or CSV file"),
        ("a,1\na,2", "the row 'a,2'"),
        ("a;1", "the row 'a;1'"),
        ("a,much", "could not convert"),
        (None, "'nowhere.csv': No such file"),
    ],
)
def test_what_is_no_weights_is_a_sentence(tmp_path, monkeypatch, text, told):
    monkeypatch.chdir(tmp_path)
    if text and not text.startswith("{"):
        (tmp_path / "nowhere.csv").write_text(text)
    with pytest.raises(LimitError) as error:
        weighting.read(text if text and text.startswith("{") else "nowhere.csv")
    assert told in str(error.value) and len(str(error.value)) <= 300


def test_a_class_that_is_not_there_is_named(tmp_path):
    for weights, told in (({"0": 1}, "'1' has no weight of digits, nor have 8 more"),) + (
        ({**{str(i): 1 for i in range(10)}, "cat": 2}, "'cat' has no images, is no class"),
    ):
        with pytest.raises(weighting.WeightingError, match=told):
            trainers.train(**SHORT, class_weights=weights, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_loss_is_keras():
    """Keras' `class_weight`: weights times losses, and the mean over all images of the batch."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(3, kernel_initializer="identity")]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss=loss)
    expected = model.train_on_batch(LOGITS, LABELS, class_weight=dict(enumerate(WEIGHTS)))
    task = metrics.classification(0.0, WEIGHTS)

    def network(images, training):
        return images

    losses, sums = task.learn(network, tf.constant(LOGITS), tf.constant(LABELS))
    assert np.mean(losses) == pytest.approx(float(np.ravel(expected)[0]), rel=1e-6)
    assert float(sums[1]) / 8 == pytest.approx(np.mean(losses), rel=1e-6)
    plain = metrics.CLASSIFICATION
    for index in (2, 3):  # errors are counted, not weighed
        assert sums[index] == plain.learn(network, LOGITS, tf.constant(LABELS))[1][index]
    judged = [t.judge(network, LOGITS, tf.constant(LABELS), tf.ones(8)) for t in (task, plain)]
    np.testing.assert_array_equal(*judged)


def test_a_mixed_image_has_its_classes_mean():
    shares = tf.constant([[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]])
    found = metrics.weights_of(shares, WEIGHTS).numpy()
    assert found.tolist() == [0.25 * 0.5 + 0.75 * 4.0, 1.5]


def test_two_replicas_take_one_devices_step():
    """Weights differ between the replicas' halves: a mean of their means would go elsewhere."""
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 1], np.int32)
    kernels = []
    for devices in (1, 2):
        strategy = distribute.strategy("mirrored" if devices == 2 else "none", devices)
        with strategy.scope():
            dense = keras.layers.Dense(3, kernel_initializer="zeros")
            model = keras.Sequential([keras.Input((3,)), dense])
            optimizer = keras.optimizers.SGD(1.0)
            optimizer.build(model.trainable_variables)
        task = metrics.classification(0.0, WEIGHTS)
        rows = tf.data.Dataset.from_tensor_slices((LOGITS, labels, np.arange(8)))
        batches = rows.batch(8)
        if devices == 2:
            batches = strategy.experimental_distribute_dataset(batches)
        steps.trainer(model, optimizer, strategy, task=task)(iter(batches), 1)
        kernels.append(convert(model.trainable_variables[0]))
    # Zero weights answer 1/3 each: the gradient is the mean of w_i x_i (softmax - label).
    error = 1 / 3 - np.eye(3)[labels]
    expected = -np.einsum("n,ni,nc->ic", np.array(WEIGHTS)[labels], LOGITS, error) / 8
    for kernel in kernels:
        np.testing.assert_allclose(kernel, expected, rtol=1e-5, atol=1e-6)


def test_a_run_keeps_its_weights(tmp_path):
    """Ones are as good as none, to the bit; others are refused in the same directory."""
    ones = {str(i): 1 for i in range(10)}
    for name, weights in (("none", None), ("ones", ones)):
        trainers.train(**SHORT, class_weights=weights, run_dir=tmp_path / name)
    assert records(tmp_path / "ones") == records(tmp_path / "none")
    manifest = json.loads((tmp_path / "ones/manifest.json").read_text())
    assert manifest["data"]["class_weights"] == ones
    flags = (tmp_path / "ones/flags.txt").read_text().splitlines()
    line = next(line for line in flags if "class_weights" in line)
    assert json.loads(line.partition("=")[2]) == ones
    with pytest.raises(ValueError, match="other flags: --class_weights differ"):
        trainers.train(**SHORT, class_weights=ones | {"3": 2}, run_dir=tmp_path / "ones")
    trainers.train(**SHORT, class_weights=ones, run_dir=tmp_path / "ones")
