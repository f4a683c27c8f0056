"""What a process of `benchmarks.gpu` does: it measures a case, or exports what cases serve."""

import dataclasses
import pathlib
import re
import shutil
import time

WARM_UP = 5  # calls of a server: the first are traced, and choose algorithms
PLACES = re.compile(r"Graph execution error|Detected at node|File \"|<|\[\[|\[Op:|Hint:|\^+$")
CPU_REWRITER, GPU_REWRITER = "auto_mixed_precision_onednn_bfloat16", "auto_mixed_precision"


class CaseError(RuntimeError):
    """Why a case has no figures, in a line."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What all cases have in common; `image_size` None is the network's own.

    `data_dir` has pictures in folders, `folder` the exported SavedModel, of `multiply_adds`.
    """

    model: str
    stride: str
    image_size: int | None
    steps: int
    cpu: bool
    data_dir: str | None
    folder: str | None
    multiply_adds: int | None


def measure(case, options):
    """{figure: number} of a case. CaseError where memory does not suffice or TensorFlow fails."""
    import tensorflow as tf

    try:
        figures = {"train": train, "serve": serve}[case.task](case, options)
    except tf.errors.ResourceExhaustedError as error:
        raise CaseError(
            f"out of memory: try a smaller --batch_size ({first_line(error)})"
        ) from None
    except (tf.errors.OpError, ValueError) as error:
        raise CaseError(f"{type(error).__name__}: {first_line(error)}") from None
    if not options.cpu:
        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
        figures["gpu_gib"] = peak / 2**30
    return figures


def first_line(error):
    """The line of TensorFlow's message that says what happened, without where."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not PLACES.match(line)]
    return telling[0][:160] if telling else "no message"


def choose(case, options):
    """Shows TensorFlow the first GPUs alone, or none, and lets float32 products be TF32 or not."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    tf.config.set_visible_devices([] if options.cpu else gpus[: case.gpus], "GPU")
    tf.config.experimental.enable_tensor_float_32_execution(case.tf32)


def strategy(case, options):
    """As the trainer's `auto`: over all GPUs that are shown, or parts of the CPU, or none."""
    from trainers.engine import distribute

    if options.cpu:
        return distribute.strategy("mirrored" if case.gpus > 1 else "none", case.gpus)
    return distribute.strategy("auto")


def train(case, options):
    """Steps of the trainer's own, by the recipe of the network's family."""
    from trainers.engine import steps
    from trainers.plan.flags import Run
    from trainers.plan.recipes import RECIPES, default_for
    from trainers.run import benchmark, classification
    from trainers.run.place import Place
    from zoo import complexity, specs

    choose(case, options)
    spread = strategy(case, options)
    spec = specs.find(options.model)
    size = options.image_size or spec.image_size
    recipe = dataclasses.replace(
        RECIPES[default_for("synthetic", spec.stem)],
        batch_size=case.batch * case.gpus,
        image_size=size,
        resize_px=round(size * 8 / 7),
    )
    run = Run(options.model, spec.shortcut, options.stride, case.input, 0, case.precision, recipe)
    data = images(run, options, spec.num_classes)
    place = Place(pathlib.Path(), options.data_dir, spread, engine=steps.Engine(xla=case.xla))
    state = classification.build(run, data, spread)
    timing = benchmark.timed(case.input, run, place, data, state, options.steps)
    flops = complexity.multiply_adds(state.model) * benchmark.FLOPS_A_MULTIPLY_ADD
    return as_figures(timing, flops)


def images(run, options, num_classes):
    """The run's images, with at least as many classes as the published network's."""
    from trainers.plan import images as run_images

    data = run_images.tolerant(run_images.load(run, options.data_dir))

    def named(source):
        more = tuple(f"class {n}" for n in range(source.num_classes, num_classes))
        return dataclasses.replace(source, class_names=source.class_names + more)

    return dataclasses.replace(data, train=named(data.train), validation=named(data.validation))


def as_figures(timing, flops_an_image):
    """A Timing of `trainers.run.benchmark` as numbers for a table."""
    import numpy as np

    p50, p90 = 1000 * np.percentile(timing.seconds, (50, 90))
    return {
        "images_per_second": timing.images_per_second,
        "ms_p50": p50,
        "ms_p90": p90,
        "wait_share": timing.wait / sum(timing.seconds),
        "flops_an_image": flops_an_image,
    }


def saved_model(options):
    return pathlib.Path(options.folder) / "saved_model"


def export(options):
    """Our SavedModel of the network with random weights, for the cases that serve it."""
    import tensorflow as tf

    import zoo
    from export import formats, images
    from export.classifier import Classifier
    from zoo import complexity
    from zoo.preprocess import InputContract

    tf.config.set_visible_devices([], "GPU")
    spec = zoo.find(options.model)
    size = options.image_size or spec.image_size
    model = zoo.build(options.model, image_size=size, stride=options.stride)
    names = tuple(f"class {n}" for n in range(spec.num_classes))
    classifier = Classifier(model, InputContract(size, round(size * 8 / 7)), names)
    few = images.of_run(classifier, "validation", 1)
    directory = saved_model(options)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    formats.find("saved_model").write(classifier, directory, images.Evidence(few))
    return {"multiply_adds": complexity.multiply_adds(model)}


def serve(case, options):
    """Calls of `serving_default`: pixels of the host in, logits on the host out."""
    import numpy as np
    import tensorflow as tf

    from trainers.run import benchmark

    choose(case, options)
    if case.precision != "float32":
        rewriter = CPU_REWRITER if options.cpu else GPU_REWRITER
        tf.config.optimizer.set_experimental_options({rewriter: True})
    loaded = tf.saved_model.load(str(saved_model(options)))
    signature = loaded.signatures["serving_default"]

    def answer(images):
        return signature(images=images)["logits"]

    answer = tf.function(answer, jit_compile=True) if case.xla else answer
    (spec,) = signature.structured_input_signature[1].values()
    shape = (case.batch, *spec.shape[1:])
    pixels = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    seconds = []
    for _ in range(WARM_UP + options.steps):
        start = time.perf_counter()
        answer(tf.constant(pixels)).numpy()
        seconds.append(time.perf_counter() - start)
    timing = benchmark.Timing(case.name, case.batch, tuple(seconds[WARM_UP:]), 0.0)
    return as_figures(timing, 2 * options.multiply_adds)
