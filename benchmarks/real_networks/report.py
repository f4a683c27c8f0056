"""`reports/real_networks.md`, of what `compared` has found."""

COMMAND = "python -m benchmarks.real_networks --weights_dir=... --data_dir=..."
WEIGHTS = "https://github.com/akamaster/pytorch_resnet_cifar10"


def text(figures):
    """{network: its figures} -> Markdown."""
    origins = next(iter(figures.values()))["images"]
    parts = [
        "# Trained networks of others, through every format",
        f"Four networks for CIFAR-10 that [others trained]({WEIGHTS}) in PyTorch, imported, "
        f"exported, and asked again, on {origins['held_out']}, which are CIFAR-10's, without "
        f"loss; int8 was calibrated on {origins['calibration']}. `{COMMAND}` makes this page.",
        "Published is the accuracy on all 10,000 test pictures; that of 1,000 has a standard "
        "error of 0.8 points. PyTorch is the file in the network that it was trained as, Keras "
        "the same after import. OpenVINO reads the ONNX file, computing in float32, and the "
        "TFLite file of int8.",
        "## Accuracy, percent",
        table(figures, "accuracy", lambda x: f"{100 * x:.1f}", published(figures)),
        "## The same first class as in PyTorch, percent",
        table(figures, "same", lambda x: f"{100 * x:.1f}"),
        "## Largest difference of a score from PyTorch's",
        table(figures, "largest", lambda x: f"{x:.1e}"),
    ]
    return "\n\n".join(parts) + "\n"


def published(figures):
    cells = (f"{100 * found['published']:.2f}" for found in figures.values())
    return [f"| published | {' | '.join(cells)} |"]


def table(figures, figure, shown, rows=()):
    """A row a way, a column a network."""
    ways = next(iter(figures.values()))["ways"]
    lines = [f"| | {' | '.join(figures)} |", "|---" * (1 + len(figures)) + "|", *rows]
    for way in ways:
        cells = (shown(found["ways"][way][figure]) for found in figures.values())
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)
