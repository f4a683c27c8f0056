"""What the runs of plain and residual nets say of degradation, in sentences."""

import statistics

from zoo import specs

WHEN = ("start", "end")
HEALTHY = 10  # times: the longest gradient that is still of the shortest's kind
LEARNED = 2 / 3  # of chance: a net whose training error is above has hardly learned


def ends(nets, kind):
    """The shallowest and the deepest net of a kind, "plain" or "resnet"; none of fewer than two."""
    nets = sorted((x for x in nets if x.startswith(kind)), key=lambda x: specs.find(x).layers)
    return (nets[0], nets[-1]) if len(nets) > 1 else ()


def lengths_of(layers):
    """The norms alone, of the convolutions: the classifier's layer has no normalisation behind."""
    return [row["norm"] for row in layers[:-1]]


def first_to_last(norms, net, when):
    """How many times the gradient of the last convolution's kernel the first's is: mean of logs."""
    ratios = [lengths[0] / lengths[-1] for lengths in (lengths_of(x[when]) for x in norms[net])]
    return statistics.geometric_mean(ratios)


def learned(results, label, classes):
    """Whether every seed has come a third of the way from chance down to no error, or further."""
    return max(results.training(label)) <= LEARNED * (1 - 1 / classes)


def finding(results, norms, classes):
    """What the runs of one family show, worked out and not foreseen; the verdict comes first."""
    nets = [net for net in norms if learned(results, net, classes)]
    sentences = [verdict(results, nets), compared(results, nets), lasting(results, classes)]
    plain = ends(nets, "plain")
    if plain:
        start, end = (first_to_last(norms, plain[1], when) for when in WHEN)
        sentences.append(
            f"Gradients: that of {plain[1]}'s first layer is {times(start)} times its last's in "
            f"the untrained net, {times(end)} times in the trained one: {health(start, end)}."
        )
    hardly = [label for label in results.histories if not learned(results, label, classes)]
    if hardly:
        sentences.append(
            f"{', '.join(hardly)} hardly learned (error above {LEARNED * (1 - 1 / classes):.0%}, "
            f"chance is {1 - 1 / classes:.0%}): drawn, but no evidence of degradation."
        )
    return " ".join(filter(None, sentences))


def verdict(results, nets):
    """One sentence, without numbers that another seed would change."""
    if not ends(nets, "plain"):
        return "Degradation was not tested: it takes two plain nets of different depth that learn."
    shallow, deep = ends(nets, "plain")
    both = [
        list(zip(error(shallow), error(deep), strict=True))
        for error in (results.training, results.validation)
    ]
    worse = sum(all(a < b for a, b in pairs) for pairs in zip(*both, strict=True))
    count = len(both[0])
    if worse == count:
        return (
            f"Degradation shows: in every seed {deep} has a higher training error than {shallow}, "
            "and a higher validation error."
        )
    return (
        f"Degradation does not show: {deep} has higher errors than {shallow}, in training and "
        f"validation, in {worse} of {count} seeds."
    )


def compared(results, nets):
    """What depth costs plain nets and residual ones, in points of training error."""
    sentences = []
    for kind, title in (("plain", "plain"), ("resnet", "residual")):
        if not ends(nets, kind):
            continue
        shallow, deep = ends(nets, kind)
        low, high = (statistics.mean(results.training(net)) for net in (shallow, deep))
        sentences.append(
            f"of {title} nets by {100 * (high - low):+.1f} points (from {low:.1%} to {high:.1%}, "
            f"{shallow} to {deep})"
        )
    return f"Depth changes the training error {', '.join(sentences)}." if sentences else ""


def lasting(results, classes):
    """Whether it is still so after more steps."""
    longer = [label for label in results.histories if "," in label]
    if len(longer) != 2 or not all(learned(results, label, classes) for label in longer):
        return ""
    shallow, deep = longer
    pairs = zip(results.training(shallow), results.training(deep), strict=True)
    shows = "still shows" if all(a < b for a, b in pairs) else "does not show any more"
    low, high = (statistics.mean(results.training(label)) for label in longer)
    times = deep.partition(", ")[2]
    count = len(results.training(deep))
    return f"With {times} it {shows} ({count} seed{'s' * (count > 1)}): {low:.1%} and {high:.1%}."


def times(ratio):
    """Two digits, or all of a whole number."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def health(start, end):
    """What the two ratios say of Sec. 4.1's "healthy norms"."""
    if min(start, end) < 1 / HEALTHY:
        return "healthy norms do not show, they vanish on the way to the input"
    if max(start, end) <= HEALTHY:
        return "healthy norms show, so neither vanishing nor exploding gradients are the reason"
    if end <= HEALTHY:
        return (
            "none vanishes, and healthy norms show in the trained net, but do not show at the "
            "start, where gradients explode: what the first steps spoil may have its part in this"
        )
    return "none vanishes, but healthy norms do not show: they explode, which may be the reason"
