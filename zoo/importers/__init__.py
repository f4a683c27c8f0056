"""Weights from elsewhere: published files of other libraries -> a run directory of ours.

A file is read into named arrays (`reading`), the names are known for every place of a network
(`zoo.places`, `layouts`), each array is accounted for and put into our form (`fit`), and the
network is saved with the evaluation it was published under (`evaluations`, `assemble`). No file is
ever executed. `sources.md` says where the files are.
"""


class ImportFailed(ValueError):
    """What was expected of a file, what is in it, and what to do."""


class Arrays(dict):
    """{name: array} of a file, which of its dictionaries it was, and what its graph tells.

    `traits` are fields of a Network, `normalisation` is a (mean, std) in pixel units.
    """

    entry = None
    others = ()
    traits = None
    normalisation = None
