"""Whether a detector's artifact still answers its stored requests as it did."""

from export.detection import publish, samples


def misses(directory, loaded, gate):
    """Sentences, none if all is well. ExportError where what is stored proves nothing."""
    stored = samples.read(directory)
    ways = ("pixels", "bytes") if loaded.encoded else ("pixels",)
    asked = {way: stored.asked[way] for way in ways}
    return publish.misses(publish.prove(loaded, stored.pictures, asked, gate), gate)
