"""What the harness found, in Markdown: figures beside peers, goals beside what came of them."""

from benchmarks import ratios

STATED = ("megabytes_at_most", "processors", "threads")  # of a contender's process


def sections(result):
    """A section for each group: its table, its goals, who failed, its profiles: -> lines."""
    lines = []
    for group, figures in result["figures"].items():
        lines += ["", f"### {plain(group)}", ""]
        lines += table(figures, result["peer"].get(group))
        lines += ["", *verdicts(group, result)]
        lines += [f"- {plain(who)}: failed, {why}" for who, why in result["failed"][group].items()]
        if again := result.get("again", {}).get(group):
            lines.append(f"- rounds that stood still and were taken again: {again}")
    for title, shares in result.get("profiles", {}).items():
        lines += ["", f"Where the time goes, {title}:", "", *profile(shares)]
    return lines


def table(figures, peer=None):
    """A line for each contender, a column for each figure; how many times as good as the peer."""
    units = list(dict.fromkeys(unit for rounds in figures.values() for unit in rounds[0]))
    units.sort(key=lambda unit: STATED.index(unit) if unit in STATED else -1)  # those last
    head = " | ".join(plain(unit) for unit in units)
    lines = [f"| contender | {head} |", "|---|" + "---|" * len(units)]
    for name in figures:
        cells = [cell(figures, name, peer, unit) for unit in units]
        lines.append(f"| {plain(name)} | {' | '.join(cells)} |")
    return lines


def cell(figures, name, peer, unit):
    """The best of the rounds (their median), and the ratio to the peer's best."""
    if unit not in figures[name][0]:
        return ""
    values = [one[unit] for one in figures[name]]
    middle, least, most = ratios.middle(values)
    if unit in STATED[1:]:
        return f"{middle:.2g}"
    best = ratios.best(values, unit)
    found = f"{best:.4g}" if least == most else f"{best:.4g} ({middle:.4g})"
    if peer not in figures or unit not in figures[peer][0]:
        return found
    times = ratios.relative(figures, name, peer, unit)
    return f"{found}, {times:.2f}x" if times < 10 else f"{found}, {times:.0f}x"


def verdicts(group, result):
    """Each goal, and what came of it."""
    lines = []
    for label, found, goal in comparisons(group, result):
        if found is None:
            lines.append(f"- {label}: goal {goal:.2f}x, not measured")
        else:
            lines.append(f"- {label}: {shown(found)}, goal {goal:.2f}x: {verdict(found, goal)}")
    return lines


def shown(ratio):
    return f"{ratio.times:.2f}x ({ratio.low:.2f}-{ratio.high:.2f})"


def verdict(ratio, goal):
    """The word; if the goal is missed, by how much of it the better end does, or why not known."""
    word = ratios.word(ratio, goal)
    if not ratio.known:
        return f"{word}, of fewer than {ratios.ROUNDS} rounds"
    short = 1 - ratio.high / goal
    by = f"{short:.0%}" if short >= 0.01 else "less than 1%"
    return f"missed by {by}" if word == "missed" else word


def comparisons(group, result):
    """(what, Ratio or None, goal) of a group's goals."""
    figures, found = result["figures"][group], []
    for goal in result.get("goals", {}).get(group, ()):
        ours, peer, unit = goal["ours"], goal["peer"], goal["figure"]
        label = f"{plain(ours)} to {plain(peer)}, {plain(unit)}"
        both = ours in figures and peer in figures
        found.append((label, ratios.of(figures, ours, peer, unit) if both else None, goal["times"]))
    return found


def profile(shares):
    """Seconds by kind of operation, {kind: seconds}, as shares of the whole."""
    total = sum(shares.values())
    lines = ["| operation | share |", "|---|---|"]
    for kind, seconds in sorted(shares.items(), key=lambda item: -item[1]):
        lines.append(f"| {kind} | {seconds / total:.1%} |")
    return lines


def plain(name):
    return name.replace("_", " ")
