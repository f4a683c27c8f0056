"""python -m export.verify DIR ...: checks published artifacts against their own records.

Hashes of all files, signatures, and the answers to the stored requests, within the tolerance
that the artifact was published under. Exit code 1 if anything differs. Needs nothing but the
directory: no run, no data.
"""

from zoo import program


def main(directories):
    if not directories:
        program.usage_error("expected the directory of an artifact, such as artifacts/demo/1")
    with program.quiet_start():
        from export import check, formats

    failed = False
    for directory in directories:
        with program.filtered_stderr(formats.NOISE):
            wrong = check.problems(directory)
        failed = failed or bool(wrong)
        for sentence in wrong:
            print(f"{directory}: {sentence}")
        if not wrong:
            print(f"{directory}: {check.summary(directory)}")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    program.run(main, __doc__)
