"""python -m trainers.features --run_dir=DIR: what a layer of a network says of images.

Vectors of the training and the validation images with their ids (.npz, TFRecord), the files of
TensorBoard's Embedding Projector, and how well nearest neighbours and a linear probe tell the
classes apart by them. The images may be of other classes than the network's.
"""

import pathlib
import shlex

from absl import flags

from zoo import limits, program

FORMATS = ("npz", "tfrecord", "projector", "scores")

_RUN_DIR = flags.DEFINE_string("run_dir", None, "the run, or import, to ask", required=True)
_WEIGHTS = flags.DEFINE_string("weights", "model", "the run's own, or another set of its manifest")
_DATA = flags.DEFINE_string("data", None, "other images than the run's own, such as folder")
_DATA_DIR = flags.DEFINE_string("data_dir", None, "where the images live; default: the run's")
_ACCEPT = flags.DEFINE_bool(
    "accept_changed_data", False, "the run's pictures that are still there, if some are not"
)
_LAYER = flags.DEFINE_string("layer", "pool", "conv1 ... conv5, pool, logits, or a layer's name")
_POOLING = flags.DEFINE_enum(
    "pooling", "mean", ("mean", "none"), "a map's mean over its positions, or all of the map"
)
_FORMATS = flags.DEFINE_multi_enum("format", FORMATS, FORMATS, "what to make; may be repeated")
_NEIGHBOURS = limits.DEFINE_integer("neighbours", 10, "how many nearest images vote")
_BATCH_SIZE = limits.DEFINE_integer("batch_size", 64, "images a step")
_LIMIT = limits.DEFINE_integer("limit", None, "at most so many images of a split")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "default: features/LAYER in the run's")


def main(arguments):
    if arguments:
        program.usage_error(f"unexpected arguments: {' '.join(arguments)}")
    if flags.FLAGS["neighbours"].present and "scores" not in _FORMATS.value:
        program.usage_error("--neighbours is for --format=scores: give that too")
    with program.quiet_start():
        from trainers.judging import embeddings, projector
        from trainers.plan import images
        from zoo import archive, disks

        model, manifest = archive.load(_RUN_DIR.value, _WEIGHTS.value)

    made = set(_FORMATS.value)
    layer = _LAYER.value.replace("/", "_")
    output_dir = pathlib.Path(_OUTPUT_DIR.value or f"{_RUN_DIR.value}/features/{layer}")
    request = embeddings.Request(
        _LAYER.value,
        _POOLING.value,
        _BATCH_SIZE.value,
        _LIMIT.value,
        thumbnails=projector.POINTS if "projector" in made else 0,
    )
    other = images.Images(_DATA.value, _DATA_DIR.value, _ACCEPT.value)
    data = embeddings.images_of(manifest, other, _RUN_DIR.value)
    found = {
        split: embeddings.extract(model, manifest.input, source, request)
        for split, source in data.items()
    }
    shape = found["train"].vectors.shape[1:]
    print(
        f"{manifest.network.name}, {_LAYER.value}: {' x '.join(map(str, shape))} numbers for each "
        f"of {sum(len(e.ids) for e in found.values()):,} images of {data['train'].name}"
    )
    with disks.told(output_dir):
        write(output_dir, found, made, f"{manifest.network.name}_{_LAYER.value}")


def write(output_dir, found, made, name):
    """Whatever `made` asks for, into a directory that need not be there."""
    from trainers.judging import embeddings, probes, projector
    from zoo import files

    output_dir.mkdir(parents=True, exist_ok=True)
    for split, each in found.items():
        if "npz" in made:
            embeddings.write_npz(output_dir / f"{split}.npz", each)
        if "tfrecord" in made:
            embeddings.write_tfrecord(output_dir / f"{split}.tfrecord", each)
    if "scores" in made:
        scores = probes.scores(found["train"], found["validation"], _NEIGHBOURS.value)
        files.write_json(output_dir / "scores.json", scores)
        print(probes.as_text(scores))
    if "projector" in made:
        projector.write(output_dir / "projector", name, found["validation"])
    names = ", ".join(sorted(path.name for path in output_dir.iterdir()))
    print(f"written: {output_dir}: {names}")
    if "projector" in made:
        logdir = shlex.quote(f"--logdir={output_dir}/projector")
        print(f"see them: tensorboard {logdir}, and choose Projector")


if __name__ == "__main__":
    program.run(main, __doc__)
