"""A study on disk: Markdown with "ours | paper", the raw numbers as JSON, pictures beside them."""

import os
import pathlib
import platform
import shlex
import statistics
import sys

from zoo import archive, files


def table(header, rows):
    """A Markdown table; None is an empty cell."""
    lines = [header, ["---"] * len(header), *rows]
    cells = [["" if cell is None else str(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def percent(values):
    """Fractions, one a seed, as "mean ± deviation %": of n - 1, or no deviation of one value."""
    values = [100 * value for value in values]
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def best_percent(values):
    """As Table 6 prints several runs: "best (mean ± deviation)"."""
    return f"{100 * min(values):.2f} ({percent(values)})" if len(values) > 1 else percent(values)


def paper(value):
    """The paper's figure, or a dash where it prints none."""
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.2f}"


def write(directory, name, sections, numbers):
    """`NAME.md` of the sections, joined by empty lines, and `NAME.json`."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    files.write_text(directory / f"{name}.md", "\n\n".join(sections) + "\n")
    files.write_json(directory / f"{name}.json", numbers)
    print(f"written: {directory}/{name}.md, {name}.json and pictures")


def numbers(results, paper_figures, finding):
    """The raw numbers of runs, for `NAME.json`."""
    return {
        "finding": finding,
        "histories": results.histories,
        "judged": results.judged,
        "paper_percent": paper_figures,
        "origin": results.origin,
    }


def origin(runs=None, seeds=()):
    """The last section: by which command, on what, in what time."""
    private = ("--data_dir", "--lossless_dir", "--runs_dir", "--output_dir", "--real_dir")
    given = [argument for argument in sys.argv[1:] if not argument.startswith(private)]
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name if spec else pathlib.Path(sys.argv[0]).stem
    versions = archive.versions()
    text = f"`{shlex.join(['python', '-m', name, *given])}`, "
    if seeds:
        text += f"seeds {', '.join(map(str, seeds))}, "
    text += (
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, {os.cpu_count()} "
        f"{platform.machine()} cores."
    )
    if runs:
        minutes = sum(runs.values()) / 60
        text += (
            f" Training runs: {len(runs)}, of {minutes:.0f} minutes in all, of resumed ones since "
            "their last start, starting TensorFlow included, on a machine with other work; studies "
            "share their runs."
        )
    return f"## Where these numbers come from\n\n{text}"
