"""What a run's layers respond with, untrained and trained, and what that says of Fig. 7."""

import statistics

PARTS = ("layers", "blocks")
WHEN = ("start", "end")
SMALL = 0.7  # of the untrained net's: a deviation below has become small
CLEARLY = 0.9  # of the other's: a response below is smaller
NEAR_ZERO = 0.3  # of x: an F below is near zero
BATCHES = 20  # for the statistics: 1,280 images, 82,000 values a channel where maps are 8 x 8
IMAGES = 1024  # of the validation images: four million values and more in the smallest layer


def of_run(run_dir, data_dir):
    """{"start", "end": {"layers", "blocks"}, "error": of the trained} over validation images.

    Statistics are recomputed first, as the authors' networks' were: moving averages lag, and at
    step 0 there are none. A trained block has `error_without` beside, the error where its F is 0.
    """
    from trainers.data import pipelines
    from trainers.judging import statistics as precise
    from trainers.studies import states
    from trainers.watching import responses

    models, manifest = states.both(run_dir)
    train, held_out = (
        states.source(manifest, split, run_dir, data_dir) for split in ("train", "validation")
    )
    images = pipelines.evaluate(held_out, manifest.input, batch_size=64, limit=IMAGES)
    kept = [(x[w > 0], y[w > 0]) for x, y, w, _ in images]  # the last batch is filled up
    found = {}
    for when, model in models.items():
        batches = precise.training_batches(model, manifest, train, 64, BATCHES)
        precise.recompute(model, (x for x, *_ in batches))
        layers, blocks = responses.measure(model, [x for x, _ in kept])
        found[when] = {"layers": layers, "blocks": blocks}
    found["error"], deleted = responses.without_blocks(models["end"], kept)
    for block, without in zip(found["end"]["blocks"], deleted, strict=True):
        block |= without
    return found


def mean_of(seeds):
    """The mean over seeds of every number: a list of `of_run`'s -> one of them."""
    means = {
        when: {
            part: [mean_row(rows) for rows in zip(*(x[when][part] for x in seeds), strict=True)]
            for part in PARTS
        }
        for when in WHEN
    }
    return means | {"error": statistics.mean(each["error"] for each in seeds)}


def mean_row(rows):
    """One row of rows that differ in their numbers alone."""
    return {
        key: statistics.mean(row[key] for row in rows) if isinstance(value, float) else value
        for key, value in rows[0].items()
    }


def mean_std(found):
    return statistics.mean(row["std"] for row in found["layers"])


def median_ratio(found):
    return statistics.median(row["ratio"] for row in found["blocks"])


def last_to_others(found):
    """How many times the median of the other layers' deviations the last one's is."""
    *others, last = (row["std"] for row in found["layers"])
    return last / statistics.median(others)


def in_short(found):
    """One seed's run by the figures that sentences are made of."""
    short = {"error": found["error"]}
    for when in WHEN:
        one = found[when]
        short[when] = {"mean_std": mean_std(one), "last_to_others": last_to_others(one)}
        if one["blocks"]:
            short[when]["median_ratio"] = median_ratio(one)
    return short


def block_layer(found, block):
    """The row of the 3x3 layer that a block's F ends with; of a bottleneck, its only one."""
    own = [row for row in found["layers"] if row["layer"].startswith(f"{block}_")]
    return own[-1]


def groups(labelled):
    """{decay: {net: value}} of {label: value}; a label is a net, then how it was decayed."""
    found = {}
    for label, value in labelled.items():
        net, _, decay = label.partition(", ")
        found.setdefault(decay, {})[net] = value
    return found


def finding(seeds):
    """What of Fig. 7 training brings about: `seeds` is {label: [`of_run`'s]}; the verdict first."""
    by_decay = groups(seeds)
    told = (of_decay(*item) for item in by_decay.items())
    return " ".join([verdict(by_decay), moved(by_decay), *told])


def verdict(by_decay):
    """Whether the paper's claim shows in every seed, by the decay that is most like the paper's.

    That is the last one: on all parameters, as Caffe's is.
    """
    decay, nets = list(by_decay.items())[-1]
    pairs = [
        (nets[x], nets[x.replace("resnet", "plain")])
        for x in nets
        if x.startswith("resnet") and x.replace("resnet", "plain") in nets
    ]
    if not pairs:
        return "That residual nets respond less than plain ones was not tested: no twins."
    told = {shown(ours, plain, mean_std) for ours, plain in pairs}
    said = told.pop() if len(told) == 1 else "does not show in every net"
    return f"That residual nets respond less than their plain twins {said}, {decay or AS_TRAINED}."


def moved(by_decay):
    """By which decay deviations fall in training, in every net and seed, and by which they stay."""
    kinds = {"become small": [], "stay near what they were untrained": [], "fall in some": []}
    small, stay, some = kinds.values()
    for decay, nets in by_decay.items():
        ratios = [mean_std(x["end"]) / mean_std(x["start"]) for each in nets.values() for x in each]
        below = sum(ratio < SMALL for ratio in ratios)
        kind = small if below == len(ratios) else some if below else stay
        kind.append(f"with {decay}" if decay else AS_TRAINED)
    told = [f"{what} {' and '.join(decays)}" for what, decays in kinds.items() if decays]
    return f"By training, responses {', and '.join(told)}."


def of_decay(decay, nets):
    """The numbers of the nets of one decay, and the paper's two comparisons between them."""
    before, after = (
        {net: statistics.mean(mean_std(x[when]) for x in each) for net, each in nets.items()}
        for when in WHEN
    )
    numbers = ", ".join(f"{net} {before[net]:.2f} to {after[net]:.2f}" for net in nets)
    sentences = [
        f"{(decay or AS_TRAINED).capitalize()}: mean deviation, untrained to trained, {numbers}"
    ]
    for net, each in nets.items():
        plain = nets.get(net.replace("resnet", "plain"), each)
        if plain is not each:
            sentences.append(
                f"that {net} responds less than its plain twin {shown(each, plain, mean_std)}"
            )
    residual = {net: each for net, each in nets.items() if net.startswith("resnet")}
    if len(residual) > 1:
        (shallow, ours), *_, (deep, theirs) = residual.items()
        ratios = [
            " to ".join(f"{statistics.mean(median_ratio(x[w]) for x in each):.2f}" for w in WHEN)
            for each in (ours, theirs)
        ]
        sentences.append(
            f"that {deep}'s blocks change less than {shallow}'s "
            f"{shown(theirs, ours, median_ratio)} (median F / x {ratios[1]} and {ratios[0]})"
        )
    return "; ".join(sentences) + "."


def shown(ours, theirs, measure):
    """Whether ours are smaller in every seed, and whether they were so before training."""
    smaller = {
        when: all(measure(a[when]) < CLEARLY * measure(b[when]) for a, b in zip(ours, theirs))
        for when in WHEN
    }
    if not smaller["end"]:
        return "does not show"
    return "does not show more than in the untrained nets" if smaller["start"] else "shows"


def answers(means):
    """The two questions that readers of Fig. 7 ask, answered by the numbers: -> Markdown."""
    rows = [row for mean in means.values() for row in mean["end"]["blocks"]]
    parts = []
    if rows:
        excess = max(
            row["rms"] / block_layer(mean["end"], row["block"])["std"] - 1
            for mean in means.values()
            for row in mean["end"]["blocks"]
        )
        parts.append(WHY_SMALL.format(blocks=len(rows), excess=excess, removed=removed(means)))
    lasts = ", ".join(
        f"{label} {last_to_others(mean['start']):.2f} untrained and "
        f"{last_to_others(mean['end']):.2f} trained"
        for label, mean in means.items()
    )
    return [*parts, WHY_LAST.format(lasts=lasts)]


def removed(means):
    """What the blocks of small and of large F / x are worth."""
    costs = {True: [], False: []}
    for mean in means.values():
        for row in mean["end"]["blocks"]:
            costs[row["ratio"] < NEAR_ZERO].append(100 * (row["error_without"] - mean["error"]))
    told = [
        f"in the {len(each)} blocks with F / x {side} {NEAR_ZERO} this costs "
        f"{statistics.mean(each):.1f} points of error on average, {max(each):.1f} at most"
        for side, each in (("below", costs[True]), ("from", costs[False]))
        if each
    ]
    return "; ".join(told)


AS_TRAINED = "as the recipe trains"
WHY_SMALL = """\
**Why does a small deviation mean a residual function near zero?** A deviation is measured around
the mean, so it needs two more facts, left and middle of the picture below. The mean of F is small
too: over {blocks} blocks the size of F (root mean square) is at most {excess:.0%} above its
deviation. And what is small against x matters little: set F = 0 in a trained net, a block at a
time, and {removed}. Batch normalisation gives channel c the mean β and the deviation |γ|, whatever
its convolution does: a layer's deviation is sqrt(mean γ² + var β) of two learned vectors, and says
what training and decay have made of them. γ starts at 1: where neither moved it, deviations near
1 tell nothing."""
WHY_LAST = """\
**Why do the last layers respond more?** Nothing behind them takes their scale back. Behind every
other layer of a plain net stands a normalisation that makes up for any γ, so decay on γ shrinks it
at no cost; the last one's output goes by the pooling straight into the logits, where the loss holds
it up. The last layer's deviation over the median of the others' (right): {lasts}. In residual nets
x is a sum that grows within a stage, so that a later block which is to matter must be larger, and a
new stage begins with half of its channels zero (option A), which F fills: that is where the peaks
before the last are."""
