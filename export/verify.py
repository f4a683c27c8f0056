"""python -m export.verify DIR ...: checks published artifacts against their own records.

Hashes of all files, and that there is nothing beside them: that proves that an artifact is whole,
not who made it, for its records lie in it. Its model is therefore run, and its signatures and its
answers to the stored requests are compared, only with --run, for artifacts that you trust, or with
--sha256, the hash of metadata.json that the exporter printed. Exit code 1 if anything differs.
Needs nothing but the directory: no run, no data.
"""

from absl import flags

from export import check
from zoo import program, texts

_RUN = flags.DEFINE_bool("run", False, "run the model and compare its answers")
_SHA256 = flags.DEFINE_multi_string(
    "sha256", None, "metadata.json's hash, or a file of such, by sha256sum say; may be repeated"
)


def main(directories):
    if not directories:
        program.usage_error("expected the directory of an artifact, such as artifacts/demo/1")
    hashes = [digits for text in _SHA256.value or () for digits in texts.hashes(text)]
    failed = False
    for directory in directories:
        wrong, checked = check.problems(directory), []
        if not wrong and hashes:
            wrong = check.unknown(directory, hashes)
            checked.append("the hash you gave")
        if not wrong and (_RUN.value or hashes):
            wrong = _wrong_answers(directory)
            checked.append("signatures and answers")
        failed = failed or bool(wrong)
        for sentence in wrong:
            print(f"{directory}: {sentence}")
        if not wrong:
            words = " and ".join(checked) or "its model not run: see --run and --sha256"
            print(f"{directory}: {check.summary(directory, words)}")
    if failed:
        raise SystemExit(1)


def _wrong_answers(directory):
    """`recheck.wrong_answers`; TensorFlow is imported for an artifact that is whole, not before."""
    with program.quiet_start():
        from export import formats, recheck
    with program.filtered_stderr(formats.NOISE):
        return recheck.wrong_answers(directory)


if __name__ == "__main__":
    program.run(main, __doc__)
