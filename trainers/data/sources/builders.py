"""Runs a TFDS set's own builder, and says beforehand what it will not find.

Loading never does this silently: it can take hours, and without a network TFDS retries for
minutes before it says so.
"""

import contextlib
import pathlib
import threading
import time
import urllib.parse

from trainers.data import sources

REACH_SECONDS = 5
# Archives that only their owner gives out, to those who have signed for them.
MANUAL = {"imagenet2012": ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar")}


def prepare(name: str, data_dir: str | None = None) -> pathlib.Path:
    """Downloads and writes the set unless it is there: its path. DataError says what to do."""
    from trainers.data.sources import tfds_source  # TFDS, 6 s to import

    builder = tfds_source.find(name, data_dir)
    if "objects" not in builder.info.features:  # whose boxes are `trainers.data.boxes`'
        tfds_source.keys(builder)
    if not builder.is_prepared():
        fetch_archives(builder)
        build(builder)
    return pathlib.Path(builder.data_path)


def fetch_archives(builder) -> None:
    """Makes sure, before TFDS tries for minutes, that the set's archives can be had."""
    manual_dir = pathlib.Path(builder.data_dir_root) / "downloads" / "manual"
    absent = [n for n in MANUAL.get(builder.name, ()) if not (manual_dir / n).is_file()]
    if absent:
        raise sources.DataError(
            f"{builder.name}: expected {' and '.join(absent)} in {manual_dir}, found none: get "
            "them from https://image-net.org/download-images and put them there"
        )
    urls = missing(builder, manual_dir)
    if not urls or reachable(urls):
        return
    if builder.name == "fashion_mnist":
        from trainers.data.sources import fashion_mnist

        fashion_mnist.write_archives(manual_dir)
        return
    hosts = sorted({urllib.parse.urlsplit(url).netloc for url in urls})
    names = [url.rpartition("/")[2] for url in urls]
    raise sources.DataError(
        f"{builder.name}: expected an answer from {', '.join(hosts)} within {REACH_SECONDS} s, got "
        f"none: connect to the network, or put {', '.join(names[:4])}"
        f"{' ...' if len(names) > 4 else ''} into {manual_dir}"
    )


def build(builder) -> None:
    """Runs the set's builder; array_record, the one format that TFDS reads in any order."""
    try:
        builder.download_and_prepare(file_format="array_record")
    except Exception as error:  # a builder is foreign code and raises anything
        reason = (str(error).strip().splitlines() or [""])[0]
        raise sources.DataError(
            f"{builder.name}: expected its builder to finish, got {type(error).__name__}: {reason}"
        ) from error


def missing(builder, manual_dir: pathlib.Path) -> list[str]:
    """URLs of the set whose file is neither in `manual_dir` nor among TFDS' own downloads."""
    from tensorflow_datasets.core.download import resource

    def here(url, info):
        name = info.filename or url.rpartition("/")[2]
        cached = resource.get_dl_fname(url, info.checksum)
        return (manual_dir / name).exists() or any(manual_dir.parent.rglob(cached))

    return [url for url, info in (builder.url_infos or {}).items() if not here(url, info)]


def reachable(urls: list[str]) -> bool:
    """True as soon as one host of `urls` answers, False after REACH_SECONDS.

    In threads that nobody waits for: looking up a name has no time limit of its own.
    """
    answers = []
    first_of_host = {urllib.parse.urlsplit(url).netloc: url for url in urls}
    threads = [
        threading.Thread(target=ask, args=(url, answers), daemon=True)
        for url in first_of_host.values()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + REACH_SECONDS
    while not answers and any(t.is_alive() for t in threads) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(answers)


def ask(url: str, answers: list[str]) -> None:
    """Adds `url` to `answers` if its host answers; what a proxy says in its place is no answer."""
    import requests

    with contextlib.suppress(requests.RequestException):
        response = requests.head(url, timeout=REACH_SECONDS, allow_redirects=True)
        if response.status_code < 500 and response.status_code != 407:
            answers.append(url)
