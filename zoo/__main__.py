"""python -m zoo [NAME ...]: the networks of the paper, counted on the built graph.

Without a name, the catalogue beside the paper's figures; with names, the layers of each as
Table 1 would print them.
"""

import json
import sys

from absl import flags

from zoo import limits, program, specs

_JSON = flags.DEFINE_bool("json", False, "print JSON for machines")
_SHORTCUT = flags.DEFINE_enum("shortcut", None, specs.SHORTCUTS, "instead of the paper's own")
_STRIDE = flags.DEFINE_enum("stride", "1x1", specs.STRIDES, "a bottleneck's: v1 is 1x1, v1.5 3x3")
_WIDTH = limits.DEFINE_float("width", 1.0, "multiplies the filters: 0.5 halves them")


def main(names):
    try:
        chosen = [specs.find(name) for name in names or specs.names()]
    except ValueError as error:
        program.usage_error(error)
    with program.quiet_start():
        from zoo import catalogue

    options = _SHORTCUT.value, _STRIDE.value, _WIDTH.value
    if names:
        shown, text = (catalogue.table(spec, *options) for spec in chosen), catalogue.as_table_1
    else:
        shown, text = (catalogue.row(spec, *options) for spec in chosen), catalogue.as_line
        if not _JSON.value:
            print(catalogue.HEADER)
    if _JSON.value:
        print(json.dumps(list(shown), indent=2))
        return
    for item in shown:
        print(text(item))
        sys.stdout.flush()


if __name__ == "__main__":
    program.run(main, __doc__)
