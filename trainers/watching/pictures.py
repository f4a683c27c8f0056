"""What TensorBoard shows beside the curves: the graph, pictures, histograms of layer responses.

They lie in `pictures/`, an event file for each step at which they were made, so that a resumed run
drops those of steps that it will do again. The chief alone makes them, on a copy of the network
that belongs to no strategy: nobody waits for it.
"""

import contextlib
import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf
from keras.ops import convert_to_numpy

import zoo
from trainers.data import pipelines
from trainers.engine.metrics import likeliest
from trainers.judging import figures, grad_cam, plots, verdict
from trainers.judging.scores import Scores
from trainers.plan import images as run_images
from trainers.watching import responses
from zoo import preprocess
from zoo.recursion import room_for

FOLDER = "pictures"
TIMES = 4  # in a run, at most, and at its end
JUDGED = 1000  # validation images, of which mistakes and confusions are counted
RESPONDING = 16  # images, of whose responses histograms are made
SHEET = 24  # augmented images
EXPLAINED = 8  # mistakes
BATCH = 50


def is_due(step, recipe):
    """Whether pictures are made after this step, the end of a round."""
    rounds = -(-recipe.steps // recipe.round_steps)
    every = -(-rounds // TIMES)
    return step == recipe.steps or step % (every * recipe.round_steps) == 0


def kept(folder, step):
    """The steps whose pictures stay, of a run that goes on at `step`; the later ones go."""
    steps = set()
    for path in folder.glob("events.out.*"):
        made = int(path.name.rpartition(".step")[2])
        if made > step:
            path.unlink()
        steps.add(made)
    return steps


@contextlib.contextmanager
def events(folder, step):
    """Inside, summaries go to the step's own file, which is whole in the end."""
    writer = tf.summary.create_file_writer(str(folder), filename_suffix=f".step{step}")
    with writer.as_default():
        yield
    writer.close()


class Pictures(keras.callbacks.Callback):
    """The graph and a sheet of augmented images at first; mistakes, confusions, responses later."""

    def __init__(self, run, data, state, network, run_dir):
        super().__init__()
        self.run, self.data, self.state, self.network = run, data, state, network
        self.folder = pathlib.Path(run_dir) / FOLDER
        self.viewer = None

    def on_train_begin(self, logs=None):
        if 0 not in kept(self.folder, self.state.step):
            with events(self.folder, 0):
                write_graph(self.current().model)
                write_image("augmented", augmented(self.run, self.data, self.state.model), 0)

    def on_epoch_end(self, epoch, logs=None):
        step = self.state.step
        if not is_due(step, self.run.recipe):
            return
        viewer = self.current()
        found = viewer.scores(self.data)
        seen = self.data.validation, self.data.input
        with events(self.folder, step):
            write_image("worst mistakes", drawn(verdict.worst, found, *seen), step)
            write_image("worst mistakes, Grad-CAM", drawn(viewer.explained, found, *seen), step)
            counts = figures.confusion(found.probabilities, found.labels)
            names = self.data.validation.class_names
            write_image("confusion", drawn(plots.confusion, counts, names), step)
            viewer.write_responses(self.data, step)

    def current(self):
        """The network as it is now, on one device."""
        self.viewer = self.viewer or Viewer(self.network)
        for ours, theirs in zip(
            self.viewer.model.variables, self.state.model.variables, strict=True
        ):
            ours.assign(convert_to_numpy(theirs))
        return self.viewer


class Viewer:
    """A copy of the network, and what is asked of it again and again, traced once."""

    def __init__(self, network):
        with room_for(zoo.find(network.name).layers * 4):
            self.model = zoo.build_network(network)
            self.norms = responses.responding(self.model)
            self.inner = keras.Model(self.model.input, [norm.output for norm in self.norms])
        self.softmax = tf.function(
            lambda images: tf.nn.softmax(tf.cast(self.model(images, training=False), tf.float64)),
            reduce_retracing=True,
        )
        self.explain = None  # traced when it is asked for
        self.respond = tf.function(lambda images: self.inner(images, training=False))

    def scores(self, data):
        """What the network says of at most JUDGED validation images: -> Scores."""
        rows = []
        for images, labels, weights, index in evaluation(data, BATCH, JUDGED):
            kept = weights.numpy() > 0
            rows.append([x.numpy()[kept] for x in (self.softmax(images), labels, index)])
        return Scores(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    def explained(self, path, found, source, contract):
        """The picture of a few of the worst mistakes with what spoke for either class."""
        self.explain = self.explain or grad_cam.mapper(self.model)
        mistakes = figures.worst(found, source)[:EXPLAINED]
        each = list(grad_cam.of_mistakes(self.explain, source, mistakes, contract))
        labels = [f"is {mistake['label']}" for mistake in mistakes]
        grad_cam.draw(path, each, source.class_names, labels)

    def write_responses(self, data, step):
        """Histograms of Fig. 7: 3x3 layers after normalisation, before ReLU or addition."""
        images, *_ = next(iter(evaluation(data, RESPONDING, RESPONDING)))
        for number, (norm, values) in enumerate(zip(self.norms, self.respond(images)), start=1):
            name = f"responses/{number:03} {norm.name.removesuffix('_bn')}"
            tf.summary.histogram(name, values, step=step)


def evaluation(data, batch_size, limit):
    return pipelines.evaluate(data.validation, data.input, batch_size=batch_size, limit=limit)


def write_graph(model):
    """The network's operations, in scopes of the layers' names; Keras 3's callback cannot."""
    spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="images")
    traced = tf.function(lambda images: model(images, training=False), input_signature=[spec])
    tf.summary.graph(traced.get_concrete_function().graph)


def write_image(name, image, step):
    """One picture (H, W, 3) uint8."""
    tf.summary.image(name, image[None], step=step)


def drawn(plot, *what):
    """What `plot(path, *what)` makes: -> (H, W, 3) uint8."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "picture.png"
        plot(path, *what)
        return preprocess.decode(path.read_bytes())


def augmented(run, data, model):
    """The first images of the first batch, as training sees them, with their labels."""
    images, labels, _ = next(
        iter(
            pipelines.train(
                data.train,
                data.input,
                run_images.augmentation(run.recipe, data.input, model),
                batch_size=run.recipe.batch_size,
                seed=run.seed,
                steps=(0, 1),
            )
        )
    )
    pixels = np.clip(images[:SHEET].numpy(), 0, 255).astype(np.uint8)
    names = [data.train.class_names[i] for i in likeliest(labels)[:SHEET].numpy()]
    captions = [(name,) for name in names]
    return drawn(plots.contact_sheet, list(pixels), captions)
