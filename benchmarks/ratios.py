"""What rounds tell of two contenders: a ratio, an interval around it, and one of three words.

The ratio is that of the best rounds, for all else on a machine only ever adds. The interval is of
the rounds' own ratios, each of neighbours in time: between two of them, as far from the least as
from the greatest, lies the median of all the ratios there could be with CONFIDENCE at least. That
holds for any distribution (a sign test): each such ratio is above the median with chance 1/2.
"""

import dataclasses
import math
import statistics

CONFIDENCE = 0.9
ROUNDS = 5  # the fewest of which the least and the greatest reach it: 1 - 2 / 2**5 = 0.94
LESS_IS_BETTER = ("seconds", "megabytes")  # how the names of such figures begin
COUNTED = ("megabytes", "same_first_class")  # the same in every round
STOOD_STILL = 0.6  # of the share of time that a contender's processors were busy in its best round


@dataclasses.dataclass(frozen=True)
class Ratio:
    """How many times as good as a peer; `low` to `high` from so many rounds, `known` if enough."""

    times: float
    low: float
    high: float
    known: bool


def of(figures, name, peer, figure):
    """The Ratio of two contenders, from {name: [figures of a round]}; both have as many rounds."""
    found = paired(figures, name, peer, figure)
    times = relative(figures, name, peer, figure)
    low, high = interval(found)
    known = len(found) >= ROUNDS or figure in COUNTED
    return Ratio(times, min(low, times), max(high, times), known)


def relative(figures, name, peer, figure):
    """Of the best rounds alone, however many each contender has."""
    ours, theirs = (best([one[figure] for one in figures[x]], figure) for x in (name, peer))
    return theirs / ours if less_is_better(figure) else ours / theirs


def paired(figures, name, peer, figure):
    """Times as good as the peer, a number a round."""
    pairs = zip(figures[name], figures[peer], strict=True)
    if less_is_better(figure):
        return [theirs[figure] / ours[figure] for ours, theirs in pairs]
    return [ours[figure] / theirs[figure] for ours, theirs in pairs]


def best(values, figure):
    return min(values) if less_is_better(figure) else max(values)


def less_is_better(figure):
    return figure.startswith(LESS_IS_BETTER)


def interval(values):
    """The two of the values between which the median of their distribution lies."""
    values, count = sorted(values), len(values)

    def chance(outside):
        """That the median is not among the so many least or greatest: Binomial(count, 1/2)."""
        return 1 - 2 * sum(math.comb(count, k) for k in range(outside + 1)) / 2**count

    outside = max((k for k in range(count // 2) if chance(k) >= CONFIDENCE), default=0)
    return values[outside], values[-1 - outside]


def word(ratio, goal):
    """'met' and 'missed' say so of the whole interval; what lies between is 'unclear'."""
    if not ratio.known:
        return "unclear"
    if ratio.low >= goal:
        return "met"
    return "missed" if ratio.high < goal else "unclear"


def stood_still(figures):
    """Numbers of the rounds in which some contender's processors were far less busy than they can.

    A round of the same work takes the same processors' time; a machine that stands still, or serves
    somebody else, only lets more of the clock's pass. `figures` as of `of`, with `processors`: how
    many a contender kept busy while it was timed.
    """
    found = set()
    for rounds in figures.values():
        busy = [one.get("processors") or 0 for one in rounds]
        found |= {number for number, x in enumerate(busy) if x < STOOD_STILL * max(busy)}
    return sorted(found)


def middle(values):
    """(median, least, most)."""
    return statistics.median(values), min(values), max(values)
