"""A trained network, or an ensemble of them, judged: scores, figures, files."""

import dataclasses

from trainers.data import sources, stream
from trainers.engine import distribute
from trainers.judging import figures, scores, verdict
from trainers.plan import images
from zoo import archive
from zoo.preprocess import InputContract


@dataclasses.dataclass(frozen=True)
class Judged:
    """What `evaluation.json` will hold but for the worst mistakes, and what those are found by."""

    result: dict
    scores: scores.Scores
    source: sources.Source
    input: InputContract


def devices(judging):
    """The strategy that was asked for; DeviceError unless the batch divides over its replicas."""
    strategy = distribute.strategy(judging.strategy, judging.logical_devices)
    distribute.check_batch(judging.batch_size, strategy)
    return strategy


def evaluate(judging, strategy):
    """Judges every image once, writes `evaluation.json` and its pictures: -> the same as a dict."""
    return write(judge(judging, strategy), judging.output_dir)


def write(judged, directory):
    """The file and its pictures, into a directory that need not be there: -> the file, a dict."""
    return verdict.write(directory, judged.result, judged.scores, judged.source, judged.input)


def judge(judging, strategy):
    """Judges every image once; nothing is written: -> Judged."""
    look = scores.Look(judging.views, judging.mirrors, judging.batch_size, judging.limit)
    other = images.Images(judging.data, judging.data_dir, judging.accept_changed_data)
    members, manifests, seen = [], [], []
    for run_dir in judging.run_dir:
        with strategy.scope():
            model, manifest = archive.load(run_dir, judging.weights)
        source = images.source_of(manifest, judging.split, other, run_dir)
        require_same(source, seen)
        with stream.unreadable_named():
            members.append(scores.of_network(model, manifest, source, look, strategy))
        manifests.append(manifest)
    together = scores.ensemble(members)
    result = {
        **verdict.head(judging.run_dir, manifests, source, look, judging.weights),
        **figures.judge(together, source.class_names),
    }
    if len(members) > 1:
        for member, fields in zip(members, result["members"], strict=True):
            fields["error"] = figures.judge(member, source.class_names)["error"]
    return Judged(result, together, source, manifests[0].input)


def require_same(source, seen):
    """Notes the source; ScoreError where it holds other files than those before."""
    seen.append(source)
    if source.files != seen[0].files:
        raise scores.ScoreError(
            "the networks of an ensemble must be judged on the same images, and these hold out "
            "others: give --data and --data_dir with --split=all, or a test split"
        )
