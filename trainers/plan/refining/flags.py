"""absl flags of `trainers.refine`: whose proposals, which network, a recipe's hyper-parameters."""

import dataclasses

from absl import flags

from trainers.plan import adopt
from trainers.plan.detection.flags import changed, check_directory, default_for, first
from trainers.plan.flags import (
    Run,
    define_hyper_parameter,
    define_network,
    hyper_parameters,
    of_network,
)
from trainers.plan.refining.recipes import RECIPES
from zoo.manifest import load_manifest


@dataclasses.dataclass(frozen=True)
class RefiningRun(Run):
    """A Run on the proposals of `localiser`, the directory of a run."""

    localiser: str = ""

    @property
    def places(self):
        return super().places | {"localiser": self.localiser}

    @property
    def run_dir(self):
        return f"{super().run_dir}_refined"


def define(values=flags.FLAGS):
    """Defines the flags that say what a run on proposals computes."""
    own = {"flag_values": values}
    help_ = "the run of trainers.localise whose proposals are refined"
    flags.DEFINE_string("localiser", None, help_, required=True, **own)
    define_network(own)
    flags.DEFINE_string("data", None, "the localiser's: no other can be meant", **own)
    flags.DEFINE_enum("recipe", None, sorted(RECIPES), "default: the data's", **own)
    for field in hyper_parameters(first(RECIPES)):
        define_hyper_parameter(field, own)


def run(values=flags.FLAGS):
    """The RefiningRun that the flags mean. ValueError, of one sentence, for what cannot be."""
    data = data_of(values.localiser)
    if values.data not in (None, data):
        raise ValueError(
            f"--data={values.data:.40} is not {data}, which --localiser={values.localiser:.80} was "
            "trained on: leave --data out"
        )
    check_directory(values, data)
    adopted = adopt.settings(values) if values.init_from else {}
    recipe = RECIPES[values.recipe or default_for(data, RECIPES)]
    recipe = dataclasses.replace(recipe, **changed(values, recipe))
    return RefiningRun(
        **vars(of_network(values, adopted, data, recipe)), localiser=values.localiser
    )


def data_of(localiser):
    """The pictures that a localiser's run was trained on. ValueError where it is none."""
    manifest = load_manifest(localiser)
    if manifest.kind != "localiser":
        raise ValueError(
            f"--localiser={localiser:.80} holds a {manifest.kind}, expected a localiser: a run of "
            "trainers.localise"
        )
    if not manifest.data.get("name"):
        raise ValueError(f"--localiser={localiser:.80} does not say which pictures it is for")
    return manifest.data["name"]
