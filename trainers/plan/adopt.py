"""What a run takes over from the network that it starts from: `--init_from=DIR`.

Read off DIR's manifest without TensorFlow, so that a flag which does not go with it is refused at
once. Weights are `trainers.plan.transfer`'s.
"""

import json
import pathlib

RECIPE = "finetune"  # when the user names none
OURS = {"model": "name", "shortcut": "shortcut", "stride": "stride", "mean": "mean"}
IDLE = {"freeze": (None, "none"), "freeze_bn": (None, False), "backbone_rate": (None, 1.0)}


def settings(values):
    """{flag: value} of what the source settles; ValueError where the user says otherwise.

    Its network is taken as it is: with its strides, its mean, its shortcut.
    """
    network = read_network(values.init_from)
    taken = {flag: network.get(field) for flag, field in OURS.items()}
    for flag, value in taken.items():
        if flag in values and values[flag].present and values[flag].value != value:
            raise ValueError(
                f"--{flag}={values[flag].value} is not that of --init_from={values.init_from}, "
                f"{value}: leave --{flag} out"
            )
    return taken


def read_network(init_from):
    """The manifest's description of the network, a dict; ValueError if there is none."""
    path = pathlib.Path(init_from) / "manifest.json"
    try:
        network = json.loads(path.read_text(encoding="utf-8"))["network"]
        network = network.get("network", network)  # a detector's is within
        return {field: network[field] for field in OURS.values()}
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(
            f"--init_from={init_from} holds no trained network: expected manifest.json in it, as "
            "in a run's directory or an import's"
        ) from None


def recipe_settings(recipe, adopted):
    """Changes to a recipe: the source's mean, and normalisations that stay frozen unless told.

    ValueError, without a source, for what makes no sense then: random weights never trained.
    """
    if adopted:
        frozen = True if recipe.freeze_bn is None else recipe.freeze_bn
        return {"mean": adopted["mean"], "freeze_bn": frozen}
    wanted = [name for name, idle in IDLE.items() if getattr(recipe, name) not in idle]
    if wanted:
        names = ", ".join(f"--{name}={getattr(recipe, name)}" for name in wanted)
        raise ValueError(f"{names}: meant for weights that are there, give --init_from")
    return {}
