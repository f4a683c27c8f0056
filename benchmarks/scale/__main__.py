"""python -m benchmarks.scale: what docs/scale.md rests on, measured on one machine.

Seeking in ten million examples, listing files, checkpoints, a data service. About two minutes, each
part in a process of its own. Writes reports/scale.md.
"""

import functools
import pathlib
import subprocess

from absl import flags

from benchmarks import harness, machine
from benchmarks.scale import parts
from zoo import files, limits, program

flags.DEFINE_string("contender", None, "run this one alone and print its figures")
_EXAMPLES = limits.DEFINE_integer("examples", 10**7, "in the synthetic set that is sought in")
_REPORT = flags.DEFINE_string("report_dir", "reports", "where scale.md goes")

MODULE = "benchmarks.scale"


def main(arguments):
    program.no_arguments(arguments)
    if flags.FLAGS.contender:
        bound = {name: functools.partial(f, _EXAMPLES.value) for name, f in parts.PARTS.items()}
        harness.run_one(bound)
        return
    figures = {}
    for name in parts.PARTS:
        try:
            found = harness.alone(MODULE, name, {"examples": _EXAMPLES.value})
        except (subprocess.SubprocessError, ValueError) as error:
            program.usage_error(f"{name}: {harness.reason(error)}")
        figures |= {key: value for key, value in found.items() if key in parts.TOLD}
        print(f"{name}: done", flush=True)
    text = report(figures, _EXAMPLES.value, machine.describe())
    path = pathlib.Path(files.make_directory(_REPORT.value)) / "scale.md"
    files.write_text(path, text)
    print(text)


def report(figures, examples, told):
    """{figure: number} as a table, each with what it is."""
    rows = [f"| {parts.TOLD[key]} | {value:,.3g} |" for key, value in figures.items()]
    return "\n".join(
        [
            "# Scale, measured small",
            "",
            f"{examples:,} synthetic examples; {told['processor']}, {told['cores']} cores, load "
            f"{told['load']} as it began, TensorFlow {told['versions']['tensorflow']}; "
            f"{told['date']}. `python -m {MODULE}` takes them again; what follows from them is in "
            "[docs/scale.md](../docs/scale.md).",
            "",
            "| what | figure |",
            "|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    program.run(main, __doc__)
