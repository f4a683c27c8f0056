"""python -m benchmarks: every benchmark in turn, then the report: what `make bench` runs.

Stop it at any time: the same command within a day goes on behind the last one that was done,
--restart begins again. One that fails is named and the rest goes on; the exit code is 1 then.
"""

import subprocess
import sys

from absl import flags

from benchmarks import harness, machine, ratios, report, sequence
from zoo import files, limits, program

limits.DEFINE_integer("rounds", ratios.ROUNDS, "rounds of each contender that has a goal")
flags.DEFINE_bool("quick", False, "small networks, one round: to see that the benchmarks work")
_RESTART = flags.DEFINE_bool("restart", False, "measure again what an unfinished call has done")
_MACHINE = flags.DEFINE_string("machine", None, "this machine's column in the report")

MODULES = (
    "benchmarks.training.step",
    "benchmarks.training.rounds",
    "benchmarks.input",
    "benchmarks.serving",
    "benchmarks.memory",  # reads what training and serving have written
    "benchmarks.detection",
)
GROWTH = "benchmarks.growth"  # no comparison, and ten minutes: `make bench-growth`


def main(arguments):
    program.no_arguments(arguments)
    column = report.column(_MACHINE.value)
    quick = flags.FLAGS.quick
    rounds = 1 if quick else flags.FLAGS.rounds
    options = {module: [f"--rounds={rounds}", *["--quick"] * quick] for module in MODULES}
    if quick:
        options[GROWTH] = ["--quick"]
    path = files.make_directory(harness.folder()) / "unfinished"
    asked = {"rounds": rounds, "machine": machine.name(machine.processor())}
    if _RESTART.value:
        path.unlink(missing_ok=True)
    seconds, failed = sequence.run(options, path, asked, run)
    if not run("benchmarks.report", reported(quick, column)):
        failed.append("benchmarks.report")
    print(f"{sum(seconds.values()) / 60:.0f} minutes: {sequence.told(seconds)}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; the same command runs those again")
    path.unlink()


def reported(quick, column):
    """The report's options."""
    return ["--quick"] * quick + [f"--machine={x}" for x in (column,) if x]


def run(module, options):
    """Whether the program ended well."""
    return not subprocess.run([sys.executable, "-m", module, *options]).returncode


if __name__ == "__main__":
    program.run(main, __doc__)
