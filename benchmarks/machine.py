"""What figures were taken on: the processor, what it offers, how fast it is now, and versions."""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import re
import time

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
PACKAGES = ("tensorflow", "keras", "torch", "openvino", "nncf", "onnxruntime", "ai-edge-litert")
# As /proc/cpuinfo names what these libraries' kernels choose by.
FEATURES = re.compile(r"avx2|avx_vnni|avx512(f|bw|dq|vl|_vnni|_bf16|_fp16)|amx_(tile|int8|bf16)")
SIDE, COPIED_MB, TRIES = 2048, 64, 3
CPUINFO, STATUS = pathlib.Path("/proc/cpuinfo"), pathlib.Path("/proc/self/status")


def describe():
    """`told`, others' load, and how fast it is now, which takes a third of a second."""
    return {**told(), "load": round(os.getloadavg()[0], 1), **speed()}


def told():
    """A dict for a report, of what stays the same."""
    found = processor()
    return {
        "name": name(found),
        **found,
        "cores": CORES,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "versions": versions(),
        "date": datetime.date.today().isoformat(),
    }


def processor():
    """Its model, number and features, of the first core."""
    text = CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0] if CPUINFO.exists() else ""
    lines = dict(re.findall(r"^(.+?)\s*: (.*)$", text, re.MULTILINE))
    number = [lines[x] for x in ("cpu family", "model", "stepping") if x in lines]
    return {
        "processor": lines.get("model name", platform.machine() or "unknown"),
        "number": ".".join(number),
        "features": sorted(x for x in lines.get("flags", "").split() if FEATURES.fullmatch(x)),
    }


def name(found, cores=CORES):
    """A file's name for this kind of machine: many processors call themselves just "AMD EPYC"."""
    words = f"{found['processor']} {found['number']} {cores} cores"
    return re.sub(r"[^A-Za-z0-9.]+", "-", re.sub(r"\((R|TM)\)|Processor", "", words)).strip("-")


def speed():
    """GFLOP/s of a float32 product of NumPy's, all cores; GB/s of a copy, counted once; the best.

    Two machines' figures are laid side by side by these.
    """
    import numpy as np

    square = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    wide = np.ones(COPIED_MB * 250_000, np.float32)
    target = np.empty_like(wide)
    products = least(lambda: square @ square)
    copies = least(lambda: np.copyto(target, wide))
    return {
        "matmul_gflops": round(2 * SIDE**3 / products / 1e9),
        "copy_gb_per_second": round(wide.nbytes / copies / 1e9, 1),
    }


def least(call):
    """Seconds of the fastest of TRIES calls, after one that warms up."""
    seconds = []
    for _ in range(1 + TRIES):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def versions():
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def peak_megabytes():
    """The most memory that this process has held; None where the system does not tell.

    The kernel's mark of this program alone: getrusage's ru_maxrss also covers what the process was
    before it became this one, a copy of its parent.
    """
    found = STATUS.exists() and re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text(encoding="utf-8"))
    return int(found[1]) * 1024 / 1e6 if found else None
