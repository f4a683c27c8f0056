"""By which images a run is steered: never by a test set, unless a person insists.

Some sets have no validation images of their own: those of `cifar10` are its test set, and whatever
is chosen by them, when the rate falls, when training ends, which weights are best, makes of its
error no test error any more. The paper chose its schedule on 5,000 of the training images
(Sec. 4.2).
"""

from trainers.data import sources

MOST, SHARE = 5000, 10  # a tenth of sets smaller than CIFAR-10


class SelectionError(ValueError):
    """Images that cannot be held out."""


def selects(recipe):
    """Whether training decides anything by its validation error, besides `best`."""
    return recipe.schedule == "plateau" or bool(recipe.early_stop_rounds)


def held_out(run, data_dir):
    """How many training images a new run validates on, in place of its set's test images."""
    asked = getattr(run.recipe, "hold_out", None)  # a detector's recipe has none
    if asked is None and not selects(run.recipe):
        return 0
    train_images = sources.lacks_validation(run.data, data_dir)
    if asked is None:
        return min(MOST, train_images // SHARE)
    if asked and not train_images:
        raise SelectionError(
            f"--hold_out={asked} is for a set that would be validated on its test images; "
            f"{run.data:.80} has validation images: leave it out"
        )
    if asked and asked >= train_images:
        raise SelectionError(
            f"--hold_out={asked}: expected fewer than the {train_images:,} training images of "
            f"{run.data:.80}"
        )
    return asked


def told(run, data):
    """What a person should know of it, or None."""
    if data.hold_out:
        return (
            f"{data.hold_out:,} training images of {run.data:.80} are held out, to validate on and "
            "to choose by; trainers.evaluate --split=test judges by its test images"
        )
    if data.validation.is_test and not selects(run.recipe):
        return (
            f"the validation images are {run.data:.80}'s test set: no `best` weights are chosen by "
            f"them; --hold_out={MOST} validates on training images instead"
        )
    return None


def warned(run, data):
    """A warning for who lets a test set decide, or None."""
    if not (data.validation.is_test and selects(run.recipe)):
        return None
    return (
        f"WARNING: this run is steered by the error on {run.data:.80}'s test images, which is no "
        "test error any more: leave out --hold_out=0"
    )
