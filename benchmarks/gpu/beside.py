"""Published figures of ResNet-50 v1.5 as tables, ours of the same kind at their side."""

from benchmarks.gpu import published
from benchmarks.gpu.figures import as_case, number, speed, table, yes

HALVES = ("bf16", "fp16")
NOTE = (
    f"ResNet-50 v1.5, 224 px, {published.MULTIPLY_ADDS / 1e9} billion multiply-adds; batches are "
    "of one GPU; mixed is float16 with sums in float32. Ours beside it is the fastest case of as "
    "many GPUs and the same precision (for mixed the faster of both halves), on noise, of any "
    "batch; served, of the same batch; with or without XLA as the source says, if it does. The "
    "ratio stands where the GPUs are of one kind."
)


def sections(entries, device):
    """Lines; `entries` are empty where ours is another network."""
    lines = ["", "## Published", "", NOTE]
    if not entries:
        lines.append("Ours is another network or has no figures yet: not compared.")
    for title, figures in (("Training", published.TRAINING), ("Serving", published.SERVING)):
        rows = [row(figure, entries, device) for figure in figures]
        lines += ["", f"### {title}", "", *table(rows)]
    lines += ["", "Where these figures come from:", ""]
    lines += [f"- {name}: {what}." for name, what in published.SOURCES.items()]
    lines += [f"- peak of {peak.title}: {peak.source}." for peak in published.PEAKS]
    return lines


def row(theirs, entries, device):
    """{heading: text} of a published figure."""
    peak = published.rate(theirs.device, theirs.precision)
    flops = (6 if theirs.task == "train" else 2) * published.MULTIPLY_ADDS
    share = peak and theirs.images_per_second * flops / (theirs.gpus * peak)
    found = ours(theirs, entries)
    alike = published.family(device.name) == published.family(theirs.device)
    ratio = speed(found) / theirs.images_per_second if found and alike else None
    return {
        "source": theirs.source,
        "device": theirs.device,
        "GPUs": str(theirs.gpus) if theirs.task == "train" else "",
        "batch": str(theirs.batch),
        "precision": theirs.precision,
        "XLA": "" if theirs.xla is None else yes(theirs.xla),
        "images/s": f"{theirs.images_per_second:,.0f}",
        "of the peak": number(share, ".1%"),
        "ours, images/s": number(speed(found), ",.0f"),
        "ours over theirs": number(ratio, ".2f"),
    }


def ours(theirs, entries):
    """Our fastest entry of the same kind, or None."""
    shorts = HALVES if theirs.precision == "mixed" else (theirs.precision,)
    found = [
        entry
        for entry in entries.values()
        if entry["rounds"]
        and (entry["task"], entry["gpus"]) == (theirs.task, theirs.gpus)
        and as_case(entry).short in shorts
        and entry["input"] != "folder"
        and (theirs.task == "train" or entry["batch"] == theirs.batch)
        and theirs.xla in (None, entry["xla"])
    ]
    return max(found, key=speed, default=None)
