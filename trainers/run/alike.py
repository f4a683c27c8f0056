"""Whether the workers of a cluster mean the same run: each tells all others before any trains.

Workers that differ would train on one another's gradients in silence, or wait for each other for
ever. All of them learn of it at the same point, and leave together.
"""

import hashlib
import json
import os
import pathlib

import tensorflow as tf

import trainers
import zoo
from trainers.engine import distribute
from trainers.plan import flags_txt, transfer
from trainers.run import directory
from zoo import archive

STATS = 20_000  # files whose size is asked for, evenly spread where there are more
READ = 8  # images whose bytes are compared, likewise
LONGEST = 24  # characters of a value, so that the sentence has 300 at most
NAMED = 2  # differences that the sentence has room for


class DisagreementError(directory.RunError):
    """Workers that mean different runs; every one of them raises it."""


def check(run, place, data, **more):
    """DisagreementError unless all workers have this run, its rhythm, its images and its code.

    Before the network is built: to build another would hang. `more` are further flags. DeviceError
    unless the batch divides over the devices.
    """
    if not distribute.is_cluster(place.strategy):
        return
    told = exchange(place, {**settings(run, place), **more} | code() | images(run, data))
    differing = differences(told)
    if differing:
        flagged = [name for name in differing if name.startswith("--")]  # the rest may follow
        raise DisagreementError(sentence(told, flagged or differing))
    distribute.check_recipe(run.recipe, place.engine.accumulate, place.strategy)


def check_step(state, place):
    """DisagreementError unless all workers took up the same step."""
    if not distribute.is_cluster(place.strategy):
        return
    told = exchange(place, {"step": state.step})
    if differences(told):
        other = differing_worker(told, "step")
        raise DisagreementError(
            f"worker 0 begins at step {told[0]['step']}, worker {other} at step "
            f"{told[other]['step']}: --run_dir must be one directory that all workers share"
        )


def exchange(place, facts):
    """The facts of every worker, in their order: a dict of texts each."""
    own = {name: short(str(value)) for name, value in facts.items() if value is not None}
    return [json.loads(text) for text in distribute.tell(place.strategy, json.dumps(own))]


def short(text):
    """The text, or if it is long its beginning and what tells it from others."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 12]}... {digest([text])}"


def digest(values):
    """Eight digits that tell these values, one after another, from others."""
    whole = hashlib.sha256()
    for value in values:
        whole.update(f"{value!r}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()[:8]


def settings(run, place):
    """{flag: value} of the run, and of when the workers wait for each other."""
    given = [line.partition("=") for line in flags_txt.as_text(run).splitlines()]
    return {
        **{name: value or "given" for name, _, value in given},
        "--checkpoint_steps": place.checkpoint_steps,
        "--steps_per_execution": place.call_steps,
        "--accumulate": place.engine.accumulate,
        "--xla": place.engine.xla,
        "--profile_steps": place.profile_steps,
    }


def code():
    """Our own source files, and the packages that decide what is computed."""
    versions = archive.versions()
    versions["python"] = versions["python"].rpartition(".")[0]
    versions.pop("h5py")
    roots = [pathlib.Path(package.__file__).parent for package in (zoo, trainers)]
    files = [path for root in roots for path in sorted(root.rglob("*.py"))]
    sources = (path.read_text(encoding="utf-8") for path in files)
    return {"this project's code": digest(sources), **versions}


def images(run, data):
    """What both splits hold, and the weights that they are to change."""
    facts = {}
    for source in (data.train, data.validation):
        about = f"{source.split} images"
        facts |= {
            f"the number of {about}": f"{source.length:,}",
            f"the classes of {about}": f"{source.num_classes} ({digest(source.class_names)})",
            f"the content of {about}": digest(content(source)),
        }
        if source.files:
            names = [pathlib.PurePath(file).parts[-2:] for file in source.files]
            sizes = [size(source.files[i]) for i in spread(source.length, STATS)]
            facts[f"the file names of {about}"] = digest(names)
            facts[f"the file sizes of {about}"] = digest(sizes)
    if run.init_from:
        facts["the weights in --init_from"] = transfer.origin(run, data.train.class_names)["sha256"]
    return facts


def content(source):
    """A few images and their labels, as they are stored; the error's kind for an unreadable one."""
    for index in spread(source.length, READ):
        try:
            fetched = source.fetch(tf.constant([index], tf.int64))
            yield [tf.io.serialize_tensor(x).numpy() for x in tf.nest.flatten(fetched)]
        except (tf.errors.OpError, OSError, ValueError) as error:
            yield type(error).__name__


def spread(length, count):
    """At most `count` of the indices below `length`, evenly."""
    return range(0, length, max(1, -(-length // count)))


def size(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return "missing"


def differences(told):
    """The names of the facts that are not the same on all workers, in order."""
    names = dict.fromkeys(name for facts in told for name in facts)
    return [name for name in names if len({facts.get(name) for facts in told}) > 1]


def differing_worker(told, name):
    """The first worker that says something else than worker 0."""
    return next(i for i, facts in enumerate(told) if facts.get(name) != told[0].get(name))


def sentence(told, names):
    """What differs, on which workers, with both values."""
    parts = []
    for name in names[:NAMED]:
        other = differing_worker(told, name)
        ours, theirs = (facts.get(name, "not given") for facts in (told[0], told[other]))
        parts.append(f"{name} is {ours} on worker 0, {theirs} on worker {other}")
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return f"the workers differ: {'; '.join(parts + more)}; start the same command on all"
