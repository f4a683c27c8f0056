"""Write, prove, publish: `export.publish` for detectors."""

from export import publish
from export.detection import answers, card, graph, parity, samples
from export.errors import ExportError


def publish_detector(trained, form, held_out, output_dir, *, version=None, pictures=True):
    """Exports to `output_dir/N` with its card; returns that path and the proof, as `prove`.

    Without `pictures` none is published, and the samples show nothing. ExportError, and nothing
    published, where the artifact misses its gate, or where the network finds nothing to compare.
    """
    source = answers.Source(graph.source(trained), trained.contract)
    canvas = form.canvas(held_out)
    asked = {"pixels": [source.of_pixels(row.pixels, canvas) for row in held_out.rows]}
    if not any(len(found.scores) for found in asked["pixels"]):
        raise ExportError(
            f"the detector finds nothing in {held_out.origin}, so that nothing could be compared: "
            "train it further, or give more --images"
        )
    with publish.version_directory(output_dir, version) as (temporary, target):
        form.write(trained, temporary, held_out)
        loaded = form.load(temporary)
        if loaded.encoded:
            asked["bytes"] = [source.of_file(x.encoded) for x in held_out.rows]
        proof = prove(loaded, held_out.rows, asked, form.gate)
        missed = misses(proof, form.gate)
        if missed:
            raise ExportError(
                f"{form.name} is not the detector it came from and is not published.\n"
                + "\n".join(missed)
            )
        kept = samples.write(temporary, source, canvas, held_out if pictures else None)
        card.write(temporary, card.Export(trained, form, loaded, held_out, proof, kept))
    return target, proof


def prove(loaded, rows, asked, gate):
    """Compares by every way that a picture can take: -> {way: Comparison}.

    `asked` are the network's own Answers: to "pixels", prepared as in evaluation, and to "bytes",
    the files as a client sends them.
    """
    runs = {"pixels": loaded.pixels, "bytes": loaded.encoded}
    inputs = {
        "pixels": [row.pixels for row in rows],
        "bytes": [row.encoded for row in rows],
    }
    sides = {
        "pixels": [max(row.pixels.shape) for row in rows],
        "bytes": [max(row.original) for row in rows],
    }
    proof = {}
    for way, expected in asked.items():
        try:
            found = [runs[way](x) for x in inputs[way]]
            proof[way] = parity.compare(expected, found, sides[way], gate)
        except ValueError as error:
            raise ExportError(f"the artifact fails on {way}: {error}") from None
    return proof


def misses(proof, gate):
    """A sentence for each way that misses."""
    return [
        f"{way}: {miss} ({gate.reason})"
        for way, comparison in proof.items()
        for miss in parity.misses(comparison, gate)
    ]
