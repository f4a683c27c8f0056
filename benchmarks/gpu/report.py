"""What `benchmarks.gpu` found, in Markdown, with published figures beside it."""

from benchmarks import ratios
from benchmarks.gpu import beside
from benchmarks.gpu.device import Device
from benchmarks.gpu.figures import (
    as_case,
    figure,
    number,
    relative,
    scaling,
    share_of_peak,
    table,
    yes,
)

NOTE = (
    "Each case runs in a process of its own; {steps} steps or calls are timed after the first few, "
    "each waited for: the median (least-most) of {rounds}. Batches are of one GPU. x fp32 is the "
    "speed as a multiple of float32's without TF32, everything else equal; scaling is the speed "
    "over that of as many single GPUs. A training step counts as six operations for each "
    "multiply-add of the forward pass, an answer as two; the peak is the maker's dense rate for "
    "the precision. Served pixels come from the host, and answers go back to it."
)


def as_markdown(results):
    """The whole report; every case stands in it."""
    entries, device, settings = results["cases"], Device(**results["device"]), results["settings"]
    measured = [entry for entry in entries.values() if entry["rounds"]]
    rounds = max((len(entry["rounds"]) for entry in measured), default=0)
    note = NOTE.format(steps=settings["steps"], rounds=f"{rounds} round{'s' * (rounds != 1)}")
    lines = [f"# {network(settings)} on {device.name}", "", machine(results, device), "", note]
    for task, title in (("train", "Training"), ("serve", "Serving")):
        rows = [row(entry, entries, device) for entry in measured if entry["task"] == task]
        if rows:
            lines += ["", f"## {title}", "", *table(rows)]
    lines += absent(entries)
    lines += beside.sections(entries if is_published(settings) else {}, device)
    return "\n".join(lines) + "\n"


def network(settings):
    size = f", {settings['image_size']} px" if settings["image_size"] else ""
    return f"{settings['model']} (stride {settings['stride']}{size})"


def is_published(settings):
    """Whether it is the network that the published figures are of."""
    chosen = settings["model"], settings["stride"], settings["image_size"] or 224
    return chosen == ("resnet50", "3x3", 224)


def machine(results, device):
    """A paragraph: devices, driver and libraries, host."""
    host, versions = results["machine"], results["machine"]["versions"]
    said = [f"{device.count} x {device.name}"]
    if device.kind == "CPU":
        said = [f"No GPU: replicas are parts of the CPU, at most {device.count}"]
    if device.capability:
        said.append(f"compute capability {'.'.join(map(str, device.capability))}")
    if device.driver:
        said.append(f"driver {device.driver}")
    if device.cuda:
        said.append(f"TensorFlow built for CUDA {device.cuda} and cuDNN {device.cudnn}")
    return (
        f"{', '.join(said)}; TensorFlow {versions['tensorflow']}, Keras {versions['keras']}; "
        f"{host['processor']}, {host['cores']} cores, {host['memory_gib']} GiB, Python "
        f"{host['python']}; {host['date']}."
    )


def row(entry, entries, device):
    """{heading: text} of a measured case."""
    case, training = as_case(entry), entry["task"] == "train"
    median, least, most = ratios.middle([one["images_per_second"] for one in entry["rounds"]])
    return {
        "precision": case.short,
        "XLA": yes(case.xla),
        "GPUs": str(case.gpus) if training else "",
        "images": case.input if training else "",
        "batch": str(case.batch),
        "images/s": f"{median:,.1f} ({least:,.1f}-{most:,.1f})",
        "ms, median": f"{figure(entry, 'ms_p50'):.2f}",
        "ms, 90 %": f"{figure(entry, 'ms_p90'):.2f}",
        "x fp32": number(relative(entry, entries), ".2f"),
        "scaling": number(scaling(entry, entries), ".0%") if case.gpus > 1 else "",
        "input wait": f"{figure(entry, 'wait_share'):.1%}" if training else "",
        "of the peak": number(share_of_peak(entry, device), ".1%"),
        "GPU memory, GiB": number(figure(entry, "gpu_gib"), ".1f"),
    }


def absent(entries):
    """Cases without figures, by reason."""
    reasons = {"Failed": {}, "Not for this device": {}, "Not measured yet": {}}
    for name, entry in entries.items():
        if "failed" in entry:
            reasons["Failed"].setdefault(entry["failed"], []).append(name)
        elif "refused" in entry:
            reasons["Not for this device"].setdefault(entry["refused"], []).append(name)
        elif not entry["rounds"]:
            reasons["Not measured yet"].setdefault("the same command goes on", []).append(name)
    lines = []
    for title, found in reasons.items():
        if found:
            lines += ["", f"## {title}", ""]
            lines += [f"- {', '.join(names)}: {why}" for why, names in found.items()]
    return lines
