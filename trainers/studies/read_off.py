"""Figures of our own out of the reports' JSON, for the page that sets them beside the paper's."""

import re
import statistics

SHOWN, HIDDEN = "shown", "does not show at this scale"
FULL, ABSENT = "needs full scale", "not covered"
STATES = (SHOWN, HIDDEN, FULL, ABSENT)


def sentences(numbers):
    """A report's finding, sentence by sentence: the first is its verdict."""
    return re.split(r"(?<=\.) (?=[A-Z])", numbers["finding"])


def sentence(word):
    """A function to the first sentence of a finding that has `word` in it, or a dash."""

    def find(numbers):
        return next((s for s in sentences(numbers) if word in s), "–")

    return find


def verdict(numbers):
    """The state that a report's first sentence tells: "does not show" is how it says so."""
    return state_of(sentences(numbers)[0])


def verdict_of(word):
    """A function to the state that the first sentence with `word` in it tells."""

    def judge(numbers):
        return state_of(sentence(word)(numbers))

    return judge


def compared(numbers):
    """`verdict` of a report that compares networks; one network's error shows no direction."""
    return verdict(numbers) if numbers["pairs"] else FULL


def state_of(said):
    if said == "–":
        return ABSENT
    return HIDDEN if re.search(r"\bnot (be )?(show|test)", said) else SHOWN


def better(numbers):
    """SHOWN where in every pair of the report the second has the lower error, beyond chance."""
    gains = numbers["pairs"].values()
    return SHOWN if all(gain["shows"] and gain["mean"] > 0 for gain in gains) else HIDDEN


def percent(values):
    """Fractions of several seeds as the mean: 12.3 %."""
    return f"{100 * statistics.mean(values):.1f} %"


def results_of(numbers):
    """Histories and judgements of CIFAR's kind of nets, or of those that there are."""
    return next(iter(numbers.get("families", {}).values()), numbers)


def last_errors(numbers, kind="error"):
    """{label: the mean error of the last round}, `kind` "validation_error" of held-out images."""
    histories = results_of(numbers)["histories"]
    return {
        label: statistics.mean(history[-1][kind] for history in each)
        for label, each in histories.items()
    }


def depths(errors, kind):
    """The nets of a kind, "plain" or "resnet", by depth: their labels."""
    nets = [label for label in errors if re.fullmatch(rf"{kind}\d+", label)]
    return sorted(nets, key=lambda label: int(label.removeprefix(kind)))


def ends(kind, column="error"):
    """A function to "shallowest 1.0 %, deepest 2.0 %" of the nets of a kind."""

    def read(numbers):
        errors = last_errors(numbers, column)
        nets = depths(errors, kind)
        shown = dict.fromkeys([nets[0], nets[-1]]) if nets else ()
        return ", ".join(f"{net} {100 * errors[net]:.1f} %" for net in shown) or "–"

    return read


def crossing(numbers):
    """SHOWN where depth makes plain nets worse and residual ones better, on held-out images."""
    errors = last_errors(numbers, "validation_error")
    (shallow, *_, deep), (twin, *_, deep_twin) = (depths(errors, k) for k in ("plain", "resnet"))
    return SHOWN if errors[deep] > errors[shallow] and errors[deep_twin] < errors[twin] else HIDDEN


def both_ends(column):
    """Plain nets' ends, then residual ones'."""
    return lambda numbers: "; ".join(ends(kind, column)(numbers) for kind in ("plain", "resnet"))


def every(column):
    """A function to "label 1.0 %, ..." of all labels but those of a net trained otherwise."""
    return lambda numbers: ", ".join(
        f"{label} {100 * error:.1f} %"
        for label, error in last_errors(numbers, column).items()
        if "," not in label
    )


def multiply_adds(*nets):
    """A function to what the built graphs count, in 1e9."""

    def read(numbers):
        counts = {row["name"]: row["multiply_adds"] / 1e9 for row in numbers["networks"]}
        return ", ".join(f"{counts[net]:.1f}e9 ({net})" for net in nets if net in counts) or "–"

    return read


def parameters(*nets):
    """A function to the parameters of nets, in millions."""

    def read(numbers):
        counts = {row["name"]: row["parameters"] / 1e6 for row in numbers["networks"]}
        return ", ".join(f"{counts[net]:.2f}M ({net})" for net in nets if net in counts) or "–"

    return read


def precision(*labels):
    """A function to "label 10.0 %, ..." of AP: rows of the detectors' table."""

    def read(numbers):
        found = numbers["measured"]
        return ", ".join(f"{x} {percent(found[x]['ap'])}" for x in labels if x in found) or "–"

    return read


def improves(*labels):
    """A function to SHOWN where each row's mean AP is above the one before."""

    def judge(numbers):
        means = [statistics.mean(numbers["measured"][label]["ap"]) for label in labels]
        return SHOWN if means == sorted(set(means)) else HIDDEN

    return judge


def by_views(numbers):
    """One view's error and five scales', of each network."""
    return "; ".join(
        f"{label} {percent([one['error'] for one in each['center']])}, five scales "
        f"{percent([one['error'] for one in each['multi_scale']])}"
        for label, each in numbers["measured"].items()
    )


def together(numbers):
    """The best network's error alone, and all together."""
    means = {
        label: statistics.mean(one["error"] for one in each)
        for label, each in numbers["measured"].items()
    }
    alone = {label: mean for label, mean in means.items() if not label.endswith("together")}
    best, last = min(alone, key=alone.get), list(means)[-1]
    return f"{best} alone {100 * means[best]:.1f} %, {last} {100 * means[last]:.1f} %"
