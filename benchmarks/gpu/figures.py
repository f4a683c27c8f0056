"""What follows from the figures of cases, and how tables print it.

An entry is a case's fields with `rounds`, a dict of figures each: `benchmarks.gpu.results`.
"""

import dataclasses

from benchmarks import ratios
from benchmarks.gpu import published
from benchmarks.gpu.cases import Case


def as_case(entry):
    return Case(**{field.name: entry[field.name] for field in dataclasses.fields(Case)})


def figure(entry, name):
    """The median of a figure over the rounds, or None."""
    found = [one[name] for one in entry["rounds"] if name in one] if entry else []
    return ratios.middle(found)[0] if found else None


def speed(entry):
    """Images a second, or None."""
    return figure(entry, "images_per_second")


def relative(entry, entries):
    """Times as fast as float32 without TF32, everything else equal; None without that case."""
    peer = dataclasses.replace(as_case(entry), precision="float32", tf32=False)
    theirs = speed(entries.get(peer.name))
    return theirs and speed(entry) / theirs


def scaling(entry, entries):
    """The speed as a share of as many single GPUs'; None without the case of one."""
    case = as_case(entry)
    one = speed(entries.get(dataclasses.replace(case, gpus=1).name))
    return one and speed(entry) / (case.gpus * one)


def share_of_peak(entry, device):
    """Operations a second over what the devices could do; None where that is not known."""
    case = as_case(entry)
    peak = published.rate(device.name, case.short)
    return peak and speed(entry) * figure(entry, "flops_an_image") / (case.gpus * peak)


def table(rows):
    """Markdown lines of {heading: text}, all with the same headings; empty columns left out."""
    heads = [head for head in rows[0] if any(row[head] for row in rows)]
    lines = [heads, ["---"] * len(heads), *([row[head] for head in heads] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def number(value, form):
    return "" if value is None else format(value, form)


def yes(value):
    return "yes" if value else "no"
