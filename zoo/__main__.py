"""python -m zoo [NAME ...]: the networks of the paper, counted on the built graph.

Without a name, the catalogue beside the paper's figures; with names, the layers of each as
Table 1 would print them, with --detector what a detector on each shares and costs a region, or with
--localiser what a localiser on each costs.
"""

import json
import sys

from absl import flags

from zoo import limits, program, specs

_JSON = flags.DEFINE_bool("json", False, "print JSON for machines")
_SHORTCUT = flags.DEFINE_enum("shortcut", None, specs.SHORTCUTS, "instead of the paper's own")
_STRIDE = flags.DEFINE_enum("stride", "1x1", specs.STRIDES, "a bottleneck's: v1 is 1x1, v1.5 3x3")
_WIDTH = limits.DEFINE_float("width", 1.0, "multiplies the filters: 0.5 halves them")
_DETECTOR = flags.DEFINE_bool("detector", False, "count Faster R-CNN on each network (App. A)")
_LOCALISER = flags.DEFINE_bool("localiser", False, "count a localiser on each network (App. C)")


def main(names):
    try:
        chosen = [specs.find(name) for name in names or specs.names()]
    except ValueError as error:
        program.usage_error(error)
    with program.quiet_start():
        from zoo import catalogue

    options = _SHORTCUT.value, _STRIDE.value, _WIDTH.value
    if _DETECTOR.value or _LOCALISER.value:
        if _DETECTOR.value:
            from zoo.detection import count
        else:
            from zoo.localisation import count

        shown, text = (count.row(catalogue.network(s, *options)) for s in chosen), count.as_line
        header = count.HEADER
    elif names:
        shown, text = (catalogue.table(spec, *options) for spec in chosen), catalogue.as_table_1
        header = None
    else:
        shown, text = (catalogue.row(spec, *options) for spec in chosen), catalogue.as_line
        header = catalogue.HEADER
    if _JSON.value:
        print(json.dumps(list(shown), indent=2))
        return
    if header:
        print(header)
    for item in shown:
        print(text(item))
        sys.stdout.flush()


if __name__ == "__main__":
    program.run(main, __doc__)
