"""Programs one after the other; what is done stays done where the same is asked again."""

import json
import time

from zoo import files

STALE_SECONDS = 24 * 3600  # older figures are of another day's machine and code


def run(options, path, asked, call):
    """Calls `call(program, its options)` -> bool of each that is not done: -> (seconds, failed).

    `options` is {program: options}; `path` keeps {program: seconds} while some are left, of those
    that were asked for the same, `asked`, within a day.
    """
    seconds, failed = done(path, asked), []
    for program, words in options.items():
        if program in seconds:
            print(f"{program}: done before", flush=True)
            continue
        start = time.perf_counter()
        if call(program, words):
            seconds[program] = round(time.perf_counter() - start)
        else:
            failed.append(program)
        files.write_json(path, {"asked": asked, "since": since(path), "seconds": seconds})
    return seconds, failed


def done(path, asked):
    """{program: seconds} of an unfinished call; forgets one that was asked for something else."""
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["asked"] == asked and time.time() - found["since"] < STALE_SECONDS:
            return found["seconds"]
        path.unlink()
    return {}


def since(path):
    """When the unfinished call began."""
    return json.loads(path.read_text(encoding="utf-8"))["since"] if path.exists() else time.time()


def told(seconds):
    return ", ".join(
        f"{program.removeprefix('benchmarks.')} {x} s" for program, x in seconds.items()
    )
