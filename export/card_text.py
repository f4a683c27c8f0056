"""The model card, in Markdown, from an artifact's metadata alone."""

from export import usage
from zoo import sizes
from zoo.headers import MAX_PIXELS


def text(metadata):
    """All sections of MODEL_CARD.md: metadata of `card.describe` with its files -> str."""
    sections = (title, usage.text, inputs, limits, proof, speed, training, contents)
    return "\n\n".join(section(metadata) for section in sections) + "\n"


def title(m):
    names = m["class_names"]
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    command = f"\n\nMade by `{m['command']}`." if m["command"] else ""
    kind = f"An image classifier of {len(names)} classes ({listed})"
    shown = "\n\n![What it says of images it was not trained on](predictions.png)"
    if m["samples"] == "none":
        shown = "\n\nNo pictures are published: those in `samples/` show colours and noise."
    if not names:
        kind, shown = "Features of images, for it was imported without a head", ""
    return (
        f"# {m['network']} as {m['artifact']}\n\n"
        f"{kind}: a deep residual network of "
        "He et al., *Deep Residual Learning for Image Recognition* (2015), normalisation folded "
        f"into its convolutions.{command}{shown}"
    )


def inputs(m):
    contract = m["input"]
    height, width = sizes.of(contract["image_size"])
    covering = "its shorter side to" if height == width else "it to cover a box of shorter side"
    smoothed = "with" if contract["antialias"] else "without"
    return (
        f"## Input and output\n\n{interface_table(m)}\n\n"
        "Pixels are RGB, 0-255, not scaled: the network itself subtracts its mean. An image "
        f"becomes {height} x {width} by resizing {covering} {contract['resize_px']} "
        f"({contract['method']}, {smoothed} antialiasing) and cutting out the centre."
        + operators(m)
    )


def interface_table(m):
    rows = [
        f"| {signature} | {kind[:-1]} | `{name}` | {described(spec)} |"
        for signature, sides in m["interface"].items()
        if signature != "operators"
        for kind in ("inputs", "outputs")
        for name, spec in sides[kind].items()
    ]
    return "| signature | | name | type |\n|---|---|---|---|\n" + "\n".join(rows)


def operators(m):
    """A paragraph of its own on a TFLite file's operators; "" for other formats."""
    found = m["interface"].get("operators")
    if not found:
        return ""
    counted = ", ".join(f"{name} x {count}" for name, count in found.items())
    return f"\n\nOperators, all LiteRT's own: {counted}."


def described(spec):
    shape = ", ".join("B" if n is None else str(n) for n in spec["shape"])
    scale = f", scale {spec['scale']:g}, zero {spec['zero_point']}" if "scale" in spec else ""
    return f"{spec['dtype']} ({shape}){scale}"


WAY_UP = {
    "ignored": "- EXIF orientation is ignored, as it was in training.",
    "exif": "- A JPEG, PNG or WebP is turned as its EXIF orientation says, as in training; whoever "
    "sends pixels has to do that first.",
}


def limits(m):
    knows = "- It knows its classes and nothing else: any picture gets one of them."
    if not m["class_names"]:
        knows = "- It has no classes: features are for nearest neighbours or a head of your own."
    lines = [
        knows,
        WAY_UP[m["input"].get("orientation", "ignored")],
    ]
    if "serve_bytes" in m["interface"]:
        lines += [
            "- `serve_bytes` reads JPEG, PNG, BMP, GIF (first frame) and WebP. An image that "
            "cannot be read has `ok` false, scores and logits of zero, `class_ids` -1 and empty "
            "names; the others of its batch are not touched.",
            f"- So does one that claims more than {MAX_PIXELS:,} pixels, all frames of a GIF "
            "together, or whose sides are so unequal that resizing would make as many: its header "
            "is read, and nothing is decoded.",
            "- An empty batch is an error.",
        ]
    if m["artifact"] == "tflite-int8":
        lines.append("- 8-bit scores come in steps of 1/256.")
    return "## Limits\n\n" + "\n".join(lines)


def proof(m):
    gate = m["gate"]
    rows = []
    for way, found in m["parity"].items():
        accuracy = "unknown"
        if found["artifact_accuracy"] is not None:
            right = round(found["artifact_accuracy"] * found["images"])
            accuracy = (
                f"{found['artifact_accuracy']:.2%} ({right} of {found['images']}); "
                f"network {found['source_accuracy']:.2%}"
            )
        rows.append(
            f"| {way} | {found['largest']:.1e} | {found['rms']:.1e} | {found['top1']:.2%} "
            f"| {found['top5']:.2%} | {accuracy} |"
        )
    limits = [f"the same first class on {gate['top1']:.0%}"] if m["class_names"] else []
    if gate["largest"] is not None:
        limits.append(f"a largest difference of {gate['largest']:g}")
    if gate["rms"] is not None:
        limits.append(f"an rms of {gate['rms']:g}")
    origin = f"On {m['parity_images']}."
    if not m["class_names"]:
        origin += " Features are compared, and their largest is what is called a first class."
    if not m["own_images"]:
        origin += " How it does on pictures of its own classes nobody has tried."
    if m["calibration_images"]:
        origin += f" Ranges were measured on others: {m['calibration_images']}."
    return (
        f"## Compared with the trained network\n\n{origin} Differences of the "
        "logits, the largest over the largest logit and rms over rms; `bytes` includes the "
        "artifact's own decoding and resizing, `probabilities` is the runtime's fast path.\n\n"
        "| way | largest | rms | same first class | first in five | accuracy |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"Published because it reached {', '.join(limits)} ({gate['reason']})."
    )


def speed(m):
    times = "; ".join(
        f"{milliseconds:g} ms for a batch of {name.split('_')[1]}"
        for name, milliseconds in m["latency"].items()
    )
    return (
        f"## Speed\n\n{times}, on the exporting machine ({m['machine']}), which may have been busy."
    )


# Lines of their own, and in older manifests those that the recipe is for when nobody names others.
TOLD_ABOVE = {("recipe", "model"), ("recipe", "data")}


def training(m):
    facts = m["training"]
    if not facts:
        return "## Training\n\nNot recorded: the network was exported from memory."
    lines = []
    for name in ("network", "detector", "data", "recipe", "metrics"):
        if facts.get(name):
            told = {k: v for k, v in facts[name].items() if (name, k) not in TOLD_ABOVE}
            shown = ", ".join(f"{k} {v}" for k, v in told.items() if v is not None)
            lines.append(f"- {name}: {shown}")
    if "step" in facts:
        lines.append(f"- step {facts['step']:,}, seed {facts['seed']}")
    if "exported_weights" in facts:
        lines.append(f"- weights: {facts['exported_weights']}")
    return "## Training\n\n" + "\n".join(lines)


def contents(m):
    rows = [
        f"| `{name}` | {entry['bytes']:,} | `{entry['sha256'][:16]}...` |"
        for name, entry in m["files"].items()
        if not name.startswith("samples/0")
    ]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    return (
        "## Files\n\n| file | bytes | sha256 |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "Whole hashes are in `metadata.json`, against which `python -m export.verify DIR` checks "
        "the files. That shows that they are whole, not who made them. The hash of `metadata.json` "
        "itself was printed when this was published: given from elsewhere, `--sha256=HASH` proves "
        "the origin too, and the network's answers to the images of `samples/` are compared.\n\n"
        f"Made with {versions}."
    )
