"""A run of R-CNN on a localiser's proposals (App. C): its regions, its network, its manifest."""

import dataclasses
import os

import numpy as np

from trainers.data import stream
from trainers.data.boxes import regions
from trainers.engine import distribute
from trainers.engine import refinement as engine
from trainers.judging.localisation import proposing, refining
from trainers.plan.refining import images
from trainers.run import detection, directory, proposals, training
from zoo import archive, precision
from zoo.detection.proposals import Proposing
from zoo.localisation.network import build_refiner
from zoo.localisation.specs import Refiner


def train(run, place):
    """Pictures, then a state, new or taken up again, then proposals and training: -> Trained."""
    with precision.policy(run.precision), stream.unreadable_named():
        directory.check(run, place.run_dir)
        proposer, localiser = proposing.load(run.localiser, proposing_of(run.recipe))
        place = dataclasses.replace(
            place, data_dir=place.data_dir or localiser.data.get("data_dir")
        )
        begun = place.run_dir if directory.begun(place.run_dir) else None
        asked = run
        run, data = images.load(run, localiser, place.data_dir, begun, place.accept_changed_data)
        note = directory.prolonged(run, asked, place.run_dir)
        with directory.held(place):
            refiner = Refiner(detection.network(run), data.train.num_classes)
            state = detection.build(
                run, place.strategy, lambda: build_refiner(refiner), lambda _: engine.refinement()
            )
            came = []
            directory.take_up(state, place, lambda: came.append(detection.begin(state, data, run)))
            directory.claim(asked, place, data)
            place.say(f"R-CNN on {detection.headline(run, data, state, place.devices, came)}")
            samples = samples_of(run, place, data, proposer, localiser, bool(begun))
            place.say(told(samples, run))
            if note:
                place.warn(note)
            made = Made(refiner, data, state, proposer, samples)
            return training.train(run, place, work(run, place, made, localiser), state)


@dataclasses.dataclass(frozen=True)
class Made:
    """A run's network, its pictures, what learns of them, who proposes, and what was proposed."""

    refiner: Refiner
    data: images.Data
    state: object
    proposer: proposing.Proposer
    samples: regions.Samples


def proposing_of(recipe):
    return Proposing(after=recipe.proposals, iou=recipe.proposal_iou)


def samples_of(run, place, data, proposer, localiser, goes_on):
    """Proposals on the training pictures, kept in the run's directory, as Samples."""
    facts = {
        "localiser": localiser.weights[archive.WEIGHTS]["sha256"],
        "proposals": run.recipe.proposals,
        "proposal_iou": run.recipe.proposal_iou,
        "data": run.data,
        "pictures": data.train.length,
        "seed": localiser.data.get("seed", 0),
        "fingerprint": data.train.fingerprint,
    }
    path = place.run_dir / proposals.NAME
    found = proposals.kept(proposer, data.train, facts, path, goes_on, batch_size=32)
    return engine.samples(data.train, *found)


def told(samples, run):
    """What was proposed, for a person."""
    each = len(samples) / max(1, len(np.unique(samples.picture)))
    return (
        f"proposals of {run.localiser}: {each:.1f} a picture, {len(samples.at_objects):,} at an "
        f"object, {len(samples.elsewhere):,} elsewhere"
    )


def work(run, place, made, localiser):
    """What the loop is given: batches, evaluation, manifest, pictures."""
    recipe, data, contract = run.recipe, made.data, images.contract(run.recipe)

    def batches(start, stop):
        return distribute.feed(
            place.strategy,
            lambda part: regions.train(
                data.train,
                made.samples,
                contract,
                batch_size=recipe.batch_size,
                foreground=recipe.foreground,
                mirror=recipe.mirror,
                seed=run.seed,
                steps=(start, stop),
                part=part,
            ),
        )

    def examples(run, source, step):
        rows = regions.chosen(made.samples, step, recipe.batch_size, recipe.foreground, run.seed)
        return made.samples.picture[rows.numpy()].tolist()

    refine = refining.compiled(made.state.model, contract)
    evaluate = refining.Rounds(made.proposer, refine, data.validation, batch_size=32)

    def showing():
        from trainers.watching.detections import Detections  # Matplotlib: a third of a second

        return [Detections(recipe, made.state, evaluate, place.run_dir)]

    about = manifest(run, place, made, localiser)
    return training.Work(data, batches, evaluate, about, showing, examples)


def manifest(run, place, made, localiser):
    """As a detector's, and whose proposals they are."""
    about = detection.manifest(run, place, "refiner", made.refiner, made.data)
    source = {
        "run_dir": os.path.abspath(run.localiser),
        "step": localiser.step,
        "sha256": localiser.weights[archive.WEIGHTS]["sha256"],
    }
    data = about.data | {"seed": localiser.data.get("seed", 0), "localiser": source}
    return dataclasses.replace(about, input=images.contract(run.recipe), data=data)
