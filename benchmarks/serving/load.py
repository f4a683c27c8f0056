"""python -m benchmarks.serving.load: `export.serve` under many clients at once.

Trains resnet8 on digits for a moment and exports it, or takes --artifact_dir; starts the server in
a process of its own and asks it for half a minute for good, broken and oversized things. Each
answer is compared with the trained network's. Counts what is lost or wrong, measures time, memory
and open files, and writes reports/serving_load.md. Exit code 1 if anything was lost or wrong.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from absl import flags

from benchmarks import machine
from benchmarks.serving import storm
from zoo import files, limits, program

_ARTIFACT = flags.DEFINE_string(
    "artifact_dir", None, "a SavedModel of ours; default: one made here"
)
_CLIENTS = limits.DEFINE_integer("clients", 16, "that ask at once")
_SECONDS = limits.DEFINE_integer("seconds", 30, "that they ask for")
_REPORT = flags.DEFINE_string("report_dir", "reports", "where serving_load.md goes")

MAX_MB = 2


def main(arguments):
    program.no_arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        artifact = _ARTIFACT.value or make(folder)
        with open(os.path.join(folder, "log"), "w+", encoding="utf-8") as log:
            found = measure(artifact, log)
    text = report(found)
    files.make_directory(_REPORT.value)
    files.write_text(os.path.join(_REPORT.value, "serving_load.md"), text)
    print(text)
    if found["tally"].lost or found["tally"].wrong or found["log"]:
        for line in [*found["tally"].lost[:5], *found["tally"].wrong[:5], found["log"][-500:]]:
            print(line, file=sys.stderr)
        raise SystemExit(1)


def make(folder):
    """The artifact's version directory."""
    run, target = os.path.join(folder, "run"), os.path.join(folder, "demo")
    ours = [sys.executable, "-m"]
    options = ["--steps=100", "--round_steps=100", "--checkpoint_steps=0", f"--run_dir={run}"]
    subprocess.run([*ours, "trainers.classify", *options], check=True, stdout=subprocess.DEVNULL)
    options = [f"--run_dir={run}", f"--output_dir={target}"]
    subprocess.run([*ours, "export.saved_model", *options], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(target, "1")


def measure(artifact, log):
    command = [sys.executable, "-m", "export.serve", artifact, "--port=0", "--name=demo"]
    command.append(f"--max_body_mb={MAX_MB}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as server:
        try:
            lines = [server.stdout.readline(), server.stdout.readline()]
            port = int(lines[1].rpartition("/v1")[0].rpartition(":")[2])
            address, maker = ("127.0.0.1", port), storm.Maker(artifact, "demo", MAX_MB * 10**6)
            clients = dict(clients=_CLIENTS.value)
            storm.rage(address, maker, **clients, seconds=min(5, _SECONDS.value))  # warm
            before = resources(server.pid)
            tally = storm.rage(address, maker, **clients, seconds=_SECONDS.value)
            time.sleep(6)  # connections that nobody uses are closed after five
            after = resources(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            server.wait(60)
    ended = time.monotonic() - begin
    log.seek(0)
    return dict(
        tally=tally,
        before=before,
        after=after,
        ended=ended,
        code=server.returncode,
        log=log.read(),
        model=lines[0].strip(),
    )


def resources(pid):
    """Resident megabytes, open files and threads of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "resident MB": int(fields["VmRSS"].split()[0]) // 1000,
        "open files": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": int(fields["Threads"]),
    }


def report(found):
    tally, seconds = found["tally"], sorted(found["tally"].seconds)
    total = tally.answers.total()
    at = [1000 * seconds[int(share * (len(seconds) - 1))] for share in (0.5, 0.9, 0.99, 1)]
    counts = "\n".join(f"| {kind} | {count:,} |" for kind, count in sorted(tally.answers.items()))
    resources = "\n".join(
        f"| {name} | {found['before'][name]} | {found['after'][name]} |" for name in found["before"]
    )
    return f"""\
# `export.serve` under load

Written by `python -m benchmarks.serving.load`. {_CLIENTS.value} clients of one process asked for \
{_SECONDS.value} s, each one request after the other, on {machine.processor()["processor"]}, which \
others used too; {found["model"].removeprefix("serving demo, version 1: ")}. A request has 1 to 8 \
images; the largest may have {MAX_MB} MB. Each answer is compared with the trained network's own, \
to {storm.ATOL:g} of the largest logit.

{total:,} answers, {len(tally.lost)} lost, {len(tally.wrong)} not right. {tally.images:,} images, \
{tally.images / _SECONDS.value:,.0f} a second. Milliseconds of a good request: {at[0]:.0f} in the \
median, {at[1]:.0f} of the slowest tenth, {at[2]:.0f} of the slowest hundredth, {at[3]:.0f} the \
slowest. After SIGTERM the server ended in {found["ended"]:.1f} s \
(exit code {128 - found["code"] if found["code"] < 0 else found["code"]}).

| asked for | answered as expected |
|---|---|
{counts}

| of the server | after 5 s | at the end |
|---|---|---|
{resources}
"""


if __name__ == "__main__":
    program.run(main, __doc__)
