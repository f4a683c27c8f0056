"""Write, prove, publish: `export.publish` for detectors."""

from export import publish
from export.classifier import ExportError
from export.detection import answers, card, graph, parity, samples


def publish_detector(trained, form, pictures, output_dir, *, version=None):
    """Exports to `output_dir/N` with its card; returns that path and the proof, as `prove`.

    ExportError, and nothing published, where the artifact misses its gate, or where the network
    finds nothing to compare.
    """
    network = graph.source(trained)
    canvas = form.canvas(pictures)
    asked = {"pixels": [answers.of_pixels(network, row.pixels, canvas) for row in pictures.rows]}
    if not any(len(found.scores) for found in asked["pixels"]):
        raise ExportError(
            f"the detector finds nothing in {pictures.origin}, so that nothing could be compared: "
            "train it further, or give more --images"
        )
    with publish.version_directory(output_dir, version) as (temporary, target):
        form.write(trained, temporary, pictures)
        loaded = form.load(temporary)
        if loaded.encoded:
            contract = trained.contract
            asked["bytes"] = [answers.of_file(network, contract, x.encoded) for x in pictures.rows]
        proof = prove(loaded, pictures, asked, form.gate)
        missed = misses(proof, form.gate)
        if missed:
            raise ExportError(
                f"{form.name} is not the detector it came from and is not published.\n"
                + "\n".join(missed)
            )
        kept = samples.write(temporary, network, trained.contract, canvas, pictures)
        card.write(temporary, card.Export(trained, form, loaded, pictures, proof, kept))
    return target, proof


def prove(loaded, pictures, asked, gate):
    """Compares by every way that a picture can take: -> {way: Comparison}.

    `asked` are the network's own Answers: to "pixels", prepared as in evaluation, and to "bytes",
    the files as a client sends them.
    """
    runs = {"pixels": loaded.pixels, "bytes": loaded.encoded}
    inputs = {
        "pixels": [row.pixels for row in pictures.rows],
        "bytes": [row.encoded for row in pictures.rows],
    }
    sides = {
        "pixels": [max(row.pixels.shape) for row in pictures.rows],
        "bytes": [max(row.original) for row in pictures.rows],
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
