"""How a step is computed: parts, half precision, XLA, and a loss that is no number."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy as convert
from runs_on_digits import SHORT, run, weights

import zoo
from trainers.engine import checkpoints, distribute, optim, steps
from trainers.plan.recipes import RECIPES

RECIPE = RECIPES["digits"]


def one_step(engine, images, labels):
    """Trainable weights after one step of a fresh network, and the step's sums."""
    keras.utils.set_random_seed(0)
    model = zoo.build("resnet8", image_size=8)
    optimizer = optim.momentum_sgd(RECIPE)
    optimizer.build(model.trainable_variables)
    data = tf.data.Dataset.from_tensors((images, labels, labels))
    sums, done = steps.trainer(model, optimizer, tf.distribute.get_strategy(), engine)(
        iter(data), 1
    )
    assert done == 1
    return [convert(v) for v in model.trainable_variables], sums


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (8, 8, 8, 3)).astype("uint8"), np.arange(8, dtype="int32")


def test_parts_of_a_batch_add_up_to_it(batch):
    """Equal halves have equal statistics, so that the whole must give the same gradient."""
    images, labels = (np.concatenate([half[:4], half[:4]]) for half in batch)
    whole, whole_sums = one_step(steps.Engine(), images, labels)
    parts, parts_sums = one_step(steps.Engine(accumulate=2), images, labels)
    for ours, theirs in zip(parts, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)  # float32's rounding
    assert parts_sums.examples == whole_sums.examples == 8
    assert parts_sums.totals[0] == pytest.approx(whole_sums.totals[0], rel=1e-5)
    other, _ = one_step(steps.Engine(), *batch)
    assert max(np.abs(a - b).max() for a, b in zip(other, whole, strict=True)) > 1e-3


def test_xla_computes_the_same_step(batch):
    plain, plain_sums = one_step(steps.Engine(), *batch)
    compiled, sums = one_step(steps.Engine(xla=True), *batch)
    assert sums.totals[0] == pytest.approx(plain_sums.totals[0], rel=1e-4)
    for ours, theirs in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)  # another order of sums


@pytest.mark.parametrize(
    "precision", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.exhaustive)]
)
def test_half_precision_learns_on_two_replicas(tmp_path, precision):
    arguments = [f"--precision={precision}", "--logical_devices=2", f"--run_dir={tmp_path}"]
    result = run("classify", *SHORT, *arguments)
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert found[-1]["loss"] < 0.7 * found[0]["loss"]
    assert all(np.isfinite(value).all() for value in weights(tmp_path).values())


def test_an_overflow_on_one_replica_is_skipped_by_all():
    """Gradients of two replicas, one of them infinite: both must decide to skip."""
    strategy = distribute.strategy("mirrored", 2)

    def of_replica():
        context = tf.distribute.get_replica_context()
        first = tf.equal(context.replica_id_in_sync_group, 0)
        good = tf.ones(3)
        return steps.agreed([good, tf.where(first, np.inf, 1.0) * good], context)

    results = strategy.experimental_local_results(tf.function(lambda: strategy.run(of_replica))())
    for gradients in results:
        assert np.isnan(gradients[0].numpy()).all()
        assert np.isnan(gradients[1].numpy()).all()


def test_one_process_trains_on_replicas_more_than_once():
    """TensorFlow remembers its sums' shapes by number, and each strategy numbers them from 100."""
    for elements in (2, 3):
        strategy = distribute.strategy("mirrored", 2)

        @tf.function
        def total(strategy=strategy, elements=elements):
            return strategy.run(
                lambda: tf.distribute.get_replica_context().all_reduce("SUM", tf.ones(elements))
            )

        for part in strategy.experimental_local_results(total()):
            assert part.numpy().tolist() == [2.0] * elements


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    run_dir = tmp_path / "run"
    arguments = [*SHORT, "--learning_rate=1e20", "--checkpoint_steps=1", f"--run_dir={run_dir}"]
    result = run("classify", *arguments)
    assert result.returncode == 1
    assert "the loss of step 2 is nan: stopped" in result.stderr
    assert "the last checkpoint is of step 1" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    noted = json.loads((run_dir / "not_finite.json").read_text())
    assert noted["step"] == 2 and len(noted["examples"]) == 16
    assert checkpoints.steps_saved(run_dir) == [1]


def test_the_noted_examples_are_those_of_the_batch(tmp_path):
    """By the stream itself: the second batch of 16 of digits at seed 0."""
    from trainers.data import pipelines
    from trainers.data.augment import Augmentation
    from trainers.plan import images as run_images
    from trainers.plan.flags import Run
    from trainers.run import failures
    from trainers.run.place import Place

    recipe = dataclasses.replace(RECIPE, batch_size=16)
    description = Run("resnet8", "A", "1x1", "digits", 0, "float32", recipe)
    data = run_images.load(description, None)
    state = type("AtStep2", (), {"step": 2})()
    place = Place(tmp_path, None, tf.distribute.get_strategy())
    failures.bad_batch(ArithmeticError("x"), description, place, data, state)
    stream = pipelines.train(
        data.train, data.input, Augmentation(), batch_size=16, seed=0, steps=(1, 2)
    )
    _, _, index = next(iter(stream))
    noted = json.loads((tmp_path / "not_finite.json").read_text())
    assert noted["examples"] == index.numpy().tolist()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--xla", "--batch_norm=synchronized"], "--xla cannot compile --batch_norm=synchronized"),
        (["--accumulate=3"], "--batch_size=64 does not divide into --accumulate=3 parts"),
    ],
)
def test_what_keras_cannot_do_together_is_refused_at_once(tmp_path, arguments, sentence):
    result = run("classify", *arguments, f"--run_dir={tmp_path / 'run'}")
    assert result.returncode == 2
    assert sentence in result.stderr
    assert not (tmp_path / "run").exists()
