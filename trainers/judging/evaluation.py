"""A trained network, or an ensemble of them, judged: scores, figures, files."""

from trainers.data import stream
from trainers.engine import distribute
from trainers.judging import figures, scores, verdict
from trainers.plan import images
from zoo import archive


def devices(judging):
    """The strategy that was asked for; DeviceError unless the batch divides over its replicas."""
    strategy = distribute.strategy(judging.strategy, judging.logical_devices)
    distribute.check_batch(judging.batch_size, strategy)
    return strategy


def evaluate(judging, strategy):
    """Judges every image once, writes `evaluation.json` and its pictures: -> the same as a dict."""
    look = scores.Look(judging.views, judging.mirrors, judging.batch_size, judging.limit)
    members, manifests = [], []
    for run_dir in judging.run_dir:
        with strategy.scope():
            model, manifest = archive.load(run_dir, judging.weights)
        source = images.source_of(manifest, judging.data, judging.data_dir, judging.split)
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
    return verdict.write(judging.output_dir, result, together, source)
