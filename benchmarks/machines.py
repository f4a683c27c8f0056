"""Goals on one machine and another: a file each, `reports/speed/MACHINE.json`, and their table.

A file keeps what came of each benchmark's goals the last time that it ran there.
"""

import dataclasses
import json

from benchmarks import machine, ratios, tables
from zoo import files

TOLD = {  # of a machine: the row's title
    "processor": "processor",
    "features": "offers",
    "cores": "cores",
    "memory_gib": "memory, GiB",
    "matmul_gflops": "float32 matrix product, GFLOP/s",
    "copy_gb_per_second": "copy, GB/s",
    "load": "others' load as it began",
    "date": "date",
}


def name(told):
    """Of a machine that a benchmark has described; those of before named none."""
    return told.get("name") or machine.name({"number": "", **told}, told["cores"])


def keep(folder, results, title=None):
    """Enters {benchmark: what it wrote} in their machines' files; `title` names this machine's."""
    here = machine.name(machine.processor())
    for part, result in results.items():
        told = result["machine"]
        path = folder / f"{title if title and name(told) == here else name(told)}.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"goals": {}}
        kept["machine"] = told
        kept["goals"][part] = [
            {"label": f"{tables.plain(group)}: {label}", "goal": goal, **dataclasses.asdict(ratio)}
            for group in result["figures"]
            for label, ratio, goal in tables.comparisons(group, result)
            if ratio
        ]
        files.write_json(path, kept)


def read(folder, parts):
    """{name: what is kept of it}, by name; `parts` are the names of other files there."""
    paths = sorted(path for path in folder.glob("*.json") if path.stem not in parts)
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
    return {title: kept for title, kept in found.items() if "goals" in kept and "machine" in kept}


def lines(kept):
    """A column for each machine, a row for each goal: -> Markdown lines."""
    rows = [
        row(title, [cell(one["machine"].get(key)) for one in kept.values()])
        for key, title in TOLD.items()
    ]
    columns = [
        {(part, goal["label"]): goal for part, goals in one["goals"].items() for goal in goals}
        for one in kept.values()
    ]
    for key in dict.fromkeys(key for column in columns for key in column):
        goals = [column.get(key) for column in columns]
        asked = next(goal["goal"] for goal in goals if goal)
        rows.append(row(f"{key[1]} (goal {asked:.2f}x)", [outcome(goal) for goal in goals]))
    return [row("", kept), "|---" * (1 + len(kept)) + "|", *rows]


def row(title, cells):
    return f"| {' | '.join([title, *cells])} |"


def cell(value):
    if isinstance(value, list):
        return features(value)
    return "" if value is None else str(value)


def features(names):
    """The processor's in few words: AVX-512 and AMX with what they compute besides float32."""
    told = [x.upper() for x in ("avx2",) if x in names]
    for title, base, start in (("AVX-512", "avx512f", "avx512_"), ("AMX", "amx_tile", "amx_")):
        more = [x.removeprefix(start) for x in names if x.startswith(start) and x != base]
        if base in names:
            told.append(f"{title} ({', '.join(more)})" if more else title)
    return ", ".join(told) or "none of AVX2, AVX-512, AMX"


def outcome(goal):
    """What came of a goal, as it is kept."""
    if goal is None:
        return ""
    ratio = ratios.Ratio(*(goal[field.name] for field in dataclasses.fields(ratios.Ratio)))
    return f"{tables.shown(ratio)} {ratios.word(ratio, goal['goal'])}"
