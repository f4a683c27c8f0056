"""Pictures named by a table: a CSV file of `path,label[,split]`, paths relative to its folder."""

import collections
import csv
import pathlib

from trainers.data.sources import listing
from trainers.data.sources.source import DataError

SUFFIX = ".csv"
COLUMNS = ("path", "label", "split")
SHOWN = 3  # bad rows in a sentence


def read(path: pathlib.Path) -> listing.Listing:
    """The table's pictures. DataError names the rows that cannot be meant."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"folder: {path} is no UTF-8 text: save it as such") from None
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)  # some spreadsheets write others than commas
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    names = [name.strip().lower() for name in next(rows, [])]
    if sorted(names) not in (["label", "path"], ["label", "path", "split"]):
        raise DataError(
            f"folder: expected the columns path,label or path,label,split in the first line of "
            f"{path}, got {listing.short(header.strip()) or 'none'}"
        )
    pictures, left_out, bad = {}, collections.Counter(), []
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        fields = dict(zip(names, map(str.strip, row), strict=False))
        fault = misfit(path.parent, fields, len(row) == len(names), pictures)
        if fault:
            bad.append(f"row {number}: {fault}")
        elif listing.suffix_of(fields["path"]) in listing.FOREIGN:
            left_out[listing.suffix_of(fields["path"])] += 1
        else:
            split = listing.SPLIT_NAMES.get(fields.get("split", "").lower())
            pictures[fields["path"]] = listing.Picture(fields["path"], fields["label"], split)
    if bad or not pictures:
        more = f"; {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
        told = "; ".join(bad[:SHOWN]) or "no picture in it"
        raise DataError(f"folder: {path} cannot be used: {told}{more}")
    return listing.listed(path.parent, pictures.values(), left_out)


def misfit(folder, fields, whole, known):
    """What is wrong with a row, in a few words; None if nothing is."""
    if not whole:
        return "expected as many fields as the first row has"
    name, label = fields["path"], fields["label"]
    if not name or not label:
        return f"no {'path' if not name else 'label'}"
    if listing.suffix_of(name) not in (*listing.SUFFIXES, *listing.FOREIGN):
        return f"{listing.short(name)} is no picture"
    if not (folder / name).is_file():
        return f"no file {listing.short(name)}"
    if name in known:
        return f"{listing.short(name)} was named before"
    if "split" in fields and fields["split"].lower() not in listing.SPLIT_NAMES:
        return f"split {fields['split']:.20}: expected train, validation or test"
    return None
