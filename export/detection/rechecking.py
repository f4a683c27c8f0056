"""Whether a detector's artifact still answers its stored requests as it did."""

from export.detection import parity, publish, samples


def misses(directory, loaded, gate):
    """Sentences, none if all is well; `gate` as the metadata has it."""
    stored, gate = samples.read(directory), parity.Gate(**gate)
    ways = ("pixels", "bytes") if loaded.encoded else ("pixels",)
    asked = {way: stored.asked[way] for way in ways}
    return publish.misses(publish.prove(loaded, stored.pictures, asked, gate), gate)
