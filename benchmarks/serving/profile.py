"""Where the time of a call goes: by oneDNN's log, TensorFlow's means on CPUs, and by OpenVINO's."""

import collections
import json

from benchmarks import harness

MARK = "from here on:"


def shares(module, name, settings):
    """Seconds of one call by kind of operation: -> {kind: seconds}.

    The contender prints MARK before the call, and its seconds behind. What oneDNN does not do is
    TensorFlow's: elementwise operations, padding, copies, dispatch.
    """
    lines = harness.output(module, name, settings, ONEDNN_VERBOSE="1").splitlines()
    found = by_kind(lines[lines.index(MARK) + 1 :])
    seconds = json.loads(lines[-1])["seconds"]
    return {**found, "all that is not oneDNN's": max(0.0, seconds - sum(found.values()))}


def by_kind(lines):
    """Lines such as `onednn_verbose,v1,primitive,exec,cpu,convolution,brgconv:...,12.5` (ms)."""
    found = collections.Counter()
    for line in lines:
        words = line.split(",")
        if words[0] == "onednn_verbose" and "exec" in words:
            at = words.index("exec")
            kind = ", ".join(filter(None, (words[at + 2], words[at + 3].split(":")[0])))
            found[kind] += float(words[-1]) / 1000
    return dict(found)


def of_openvino(path, pixels, calls):
    """Seconds of a call by kind of operation and what computes it: -> {kind: seconds}.

    Of each operation the least of the calls, on one thread, for on more they wait for each other.
    """
    import openvino

    core, found, kinds = openvino.Core(), {}, collections.Counter()
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "PERF_COUNT": True}
    request = core.compile_model(core.read_model(path), "CPU", options).create_infer_request()
    for _ in range(calls):
        request.infer([pixels])
        for one in request.profiling_info:
            if one.status == openvino.ProfilingInfo.Status.EXECUTED:
                kind = f"{one.node_type}, {one.exec_type}"
                seconds = one.real_time.total_seconds()
                found[one.node_name] = min(
                    (seconds, kind), found.get(one.node_name, (seconds, kind))
                )
    for seconds, kind in found.values():
        kinds[kind] += seconds
    return dict(kinds)
