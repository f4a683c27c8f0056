"""What the harness found, in Markdown: figures beside peers, goals beside what came of them."""

from benchmarks import harness


def sections(result):
    """A section for each group: its table, its goals, who failed, its profiles: -> lines."""
    lines = []
    for group, figures in result["figures"].items():
        lines += ["", f"### {plain(group)}", ""]
        lines += table(figures, result["peer"].get(group))
        lines += ["", *verdicts(group, result)]
        lines += [f"- {plain(who)}: failed, {why}" for who, why in result["failed"][group].items()]
    for title, shares in result.get("profiles", {}).items():
        lines += ["", f"Where the time goes, {title}:", "", *profile(shares)]
    return lines


def table(figures, peer=None):
    """A line for each contender, a column for each figure; how many times as good as the peer."""
    units = list(dict.fromkeys(unit for rounds in figures.values() for unit in rounds[0]))
    units.sort(key="threads".__eq__)  # stated, not measured: last
    head = " | ".join(plain(unit) for unit in units)
    lines = [f"| contender | {head} |", "|---|" + "---|" * len(units)]
    for name in figures:
        cells = [cell(figures, name, peer, unit) for unit in units]
        lines.append(f"| {plain(name)} | {' | '.join(cells)} |")
    return lines


def cell(figures, name, peer, unit):
    """Median (least-most), and the ratio to the peer."""
    if unit not in figures[name][0]:
        return ""
    middle, least, most = harness.middle([one[unit] for one in figures[name]])
    found = f"{middle:.4g}" if least == most else f"{middle:.4g} ({least:.4g}-{most:.4g})"
    if unit == "threads" or peer not in figures or unit not in figures[peer][0]:
        return found
    ratio, _, _ = harness.middle(harness.ratios(figures, name, peer, unit))
    return f"{found}, {ratio:.2f}x" if ratio < 10 else f"{found}, {ratio:.0f}x"


def verdicts(group, result):
    """Each goal, and by how much it is met or missed."""
    lines = []
    for label, found, goal in comparisons(group, result):
        if found is None:
            lines.append(f"- {label}: goal {goal:.2f}x, not measured")
            continue
        ratio, least, most = found
        short = 1 - ratio / goal
        missed = f"missed by {short:.0%}" if short >= 0.01 else "missed by less than 1%"
        met = "met" if ratio >= goal else missed
        lines.append(f"- {label}: {ratio:.2f}x ({least:.2f}-{most:.2f}), goal {goal:.2f}x: {met}")
    return lines


def comparisons(group, result):
    """(what, (median, least, most) of the rounds' ratios or None, goal) of a group's goals."""
    figures, found = result["figures"][group], []
    for goal in result.get("goals", {}).get(group, ()):
        ours, peer, unit = goal["ours"], goal["peer"], goal["figure"]
        label = f"{plain(ours)} to {plain(peer)}, {plain(unit)}"
        both = ours in figures and peer in figures
        ratios = harness.middle(harness.ratios(figures, ours, peer, unit)) if both else None
        found.append((label, ratios, goal["times"]))
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
