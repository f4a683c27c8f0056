"""What a person may type that is no number: names, addresses, directories.

Flags are known by their names, which mean the same in every program, so a new one is checked too.
"""

import ipaddress
import os
import re
import stat

from zoo import limits, specs
from zoo.limits import LimitError, shown

PATHS = ("_dir", "file", "folder", "labels", "init_from")  # how a path's flag is named, at its end
TEXTS = ("string", "comma separated list of strings")  # what absl calls them
LONGEST = 4096  # Linux' longest path
LONGER = {"class_weights": 2**20}  # thousands of classes, in a run's flags.txt
# Ends of lines, other control characters, and bytes that are no text, which no file would take.
UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LABEL = "[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"  # of a host's name, which has 253 characters at most
HOST = re.compile(
    rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}(%\w+)?\]", re.ASCII
)
HASH = re.compile("[0-9a-fA-F]{64}")
# TFDS': [tfds:][namespace:]name[/config][:version]
DATA = re.compile(r"(tfds:)?([a-z]\w*:)?[a-z]\w*(/\w[\w.+-]*)?(:\w[\w.*]*)?", re.ASCII)


def settle_flags(flag_values):
    """Expands `~` where paths were given; LimitError for the first text that cannot be meant.

    Of `--run_dir=~/x` no shell does it.
    """
    for flag in map(flag_values.__getitem__, flag_values):
        if not flag.present or flag.parser.flag_type() not in TEXTS:
            continue
        if flag.name.endswith(PATHS) and flag.value:
            one = isinstance(flag.value, str)
            flag.value = expanded(flag.value) if one else list(map(expanded, flag.value))
        for text in [flag.value] if isinstance(flag.value, str) else flag.value or [""]:
            check(flag.name, text)


def on_one_line(name):
    """A file's name for a list of them: what would break it is written as Python writes it."""
    return UNWRITABLE.sub(lambda found: ascii(found[0])[1:-1], name)


def expanded(path):
    """The path with the home directory in the place of `~`, as a shell writes it."""
    return os.path.expanduser(path)


def check(name, text):
    """The text. LimitError unless the flag `name` may be that."""
    what, known = KINDS.get(name, ("a value", None))
    if not text.strip():
        raise LimitError(f"--{name}: expected {what}, got none")
    longest = LONGER.get(name, LONGEST)
    if UNWRITABLE.search(text) or len(text) > longest:
        raise LimitError(
            f"--{name}: expected at most {longest} printable characters, got {shown(text)}"
        )
    if name.endswith("_dir"):
        _check_directory(name, text)
    if known and not known(text):
        raise LimitError(f"--{name}: expected {what}, got {shown(text)}")
    return text


def address(text, name="port"):
    """("host", port) of "host:port", IPv6 in brackets. LimitError, by the flag's name."""
    host, _, port = text.rpartition(":")
    if not HOST.fullmatch(host):
        raise LimitError(f"--{name}: expected host:port, got {shown(text)}")
    return host.strip("[]"), limits.read("port of another", port, flag=name)


def service(text):
    """("host", port) of "grpc://host:port", a trainers.data.serve. LimitError."""
    if not text.startswith("grpc://"):
        raise LimitError(f"--data_service: expected grpc://host:port, got {shown(text)}")
    return address(text.removeprefix("grpc://"), "data_service")


def host(text):
    """The ipaddress of a machine, of one of its addresses. LimitError."""
    try:
        found = ipaddress.ip_address(text)
        if not (found.is_unspecified or found.is_multicast or "%" in text):
            return found
    except ValueError:
        pass
    raise LimitError(f"--host: expected one address such as 127.0.0.1, got {shown(text)}")


def cluster(text):
    """[("host", port), ...] of "host:port,host:port", each worker once. LimitError."""
    found = [address(part, "cluster") for part in text.split(",")]
    if len(set(found)) < len(found):
        raise LimitError(f"--cluster: expected each worker once, got {shown(text)}")
    return found


def hashes(text):
    """[digits, ...]: the text, or the lines of a file as sha256sum writes them. LimitError."""
    if HASH.fullmatch(text):
        return [text.lower()]
    try:
        with open(text, encoding="utf-8") as lines:
            words = [line.split()[0] for line in lines if line.strip()]
    except (OSError, UnicodeError):
        words = []
    found = [word.lower() for word in words if HASH.fullmatch(word)]
    if not found:
        raise LimitError(
            f"--sha256: expected 64 hexadecimal digits or a file of them, got {shown(text)}"
        )
    return found


def _check_directory(name, path):
    """That it is a directory, or may become one; images may be listed in a CSV file instead."""
    if name == "data_dir" and path.lower().endswith(".csv") and os.path.isfile(path):
        return
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise LimitError(f"--{name}: expected a directory, got the file {shown(path)}")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise LimitError(
            f"--{name}: expected a directory, got {shown(path)}: {error.strerror}"
        ) from None


def network(text):
    """The Spec of a network's name. LimitError."""
    try:
        return specs.find(text)
    except ValueError as error:
        raise LimitError(error) from None


KINDS = {
    "model": ("a network of `python -m zoo`", network),
    "nets": ("networks of `python -m zoo`", network),
    "data": ("digits, folder, synthetic or a TFDS name such as cifar10", DATA.fullmatch),
    "host": ("one address such as 127.0.0.1", host),
    "cluster": ("host:port,host:port,...", cluster),
    "sha256": ("64 hexadecimal digits or a file of them", hashes),
    "data_service": ("grpc://host:port", service),
}
