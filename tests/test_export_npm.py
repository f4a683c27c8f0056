"""Packages of npm: had once, known by their hash, and one sentence where they cannot be had."""

import base64

import pytest

from export import npm
from export.errors import ExportError

PACKAGE = npm.Package("@some/thing", "1.2.3", base64.b64encode(bytes(64)).decode())


def write_npm(folder, script):
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (None, "npm, which is not here: install Node.js"),
        ("echo npm error code ENOTFOUND >&2; exit 1", r"\(code ENOTFOUND\): go online once"),
        ("echo wrong > some-thing-1.2.3.tgz", "another sha512 than the one known here"),
    ],
)
def test_a_package_that_cannot_be_had_is_one_sentence(tmp_path, monkeypatch, script, sentence):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin" if script else str(tmp_path))
    if script:
        write_npm(tmp_path, script)
    with pytest.raises(ExportError, match=sentence) as raised:
        npm.tarball(PACKAGE)
    assert len(str(raised.value)) <= 300
    assert list(npm.cache().iterdir()) == []


def test_a_package_in_the_cache_needs_no_npm(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    npm.cache().mkdir()
    path = npm.cache() / PACKAGE.file_name
    path.write_bytes(b"the package")
    kept = npm.Package(PACKAGE.name, PACKAGE.version, npm.integrity(path))
    assert npm.tarball(kept) == path
