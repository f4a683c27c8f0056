"""One's own pictures: what is trained and judged is what a person asked for, or a sentence."""

import dataclasses
import json
import random
import re
import shutil

import pytest
from pictures_in_folders import fill
from runs_on_digits import run

import trainers
from export import classifier
from export import images as export_images
from trainers.data import recorded, sources, split
from trainers.plan import flags as plan
from trainers.plan import images as run_images
from trainers.plan import sizing
from trainers.plan.recipes import RECIPES
from trainers.run import door, keywords, options
from zoo import archive

LONGEST = 300  # characters of a sentence
SMALL = dict(model="resnet8", image_size=16, batch_size=16, pictures=False, verbose=False)


def start(root, run_dir, steps=4, **given):
    """Trains a small network on a folder, or goes on with one: -> training.Trained."""
    chosen = SMALL | dict(steps=steps, round_steps=2, recipe="cifar10") | given
    return trainers.train(data="folder", data_dir=str(root), run_dir=run_dir, **chosen)


def sentence_of(call, *arguments, **given):
    with pytest.raises(ValueError) as caught:
        call(*arguments, **given)
    assert len(str(caught.value)) <= LONGEST
    return str(caught.value)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """(pictures, run directory) of a run of four steps; some kinds are left out."""
    root = fill(tmp_path_factory.mktemp("data") / "pictures", 10)
    (root / "blue" / "scan.tif").write_bytes(b"II")
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    start(root, run_dir)
    return root, run_dir


@pytest.fixture
def both(begun, tmp_path):
    """Copies of them, to be changed; the run's data directory is the copy."""
    root, run_dir = (tmp_path / path.name for path in begun)
    for old, new in zip(begun, (root, run_dir), strict=True):
        shutil.copytree(old, new)
    for name in ("manifest.json", "split.json"):
        text = (run_dir / name).read_text()
        (run_dir / name).write_text(text.replace(str(begun[0]), str(root)))
    return root, run_dir


def plan_of(**given):
    """The Run that keywords mean."""
    return plan.run(keywords.parse("test", (plan.define, options.define), given))


@pytest.mark.parametrize(
    "given, expected",
    [
        (dict(recipe="imagenet"), (224, 256)),
        (dict(recipe="imagenet", image_size=64), (64, 73)),  # 64 * 256 / 224 = 73.1
        (dict(recipe="torchvision", image_size=448), (448, 512)),
        (dict(recipe="imagenet", image_size=64, resize_px=64), (64, 64)),
        (dict(recipe="imagenet", image_size=8192), (8192, 8192)),  # what a flag may be at most
        (dict(recipe="cifar10", image_size=64), (64, None)),
    ],
)
def test_the_resized_side_follows_the_crop(given, expected):
    recipe = plan_of(**given).recipe
    assert (recipe.image_size, recipe.resize_px) == expected


def test_a_recipe_made_in_python_keeps_the_proportion_too():
    small = dataclasses.replace(RECIPES["imagenet"], image_size=64)
    assert plan_of(**door._of(small)).recipe.resize_px == 73


def test_a_class_in_the_frame_is_learned(tmp_path):
    """At `resize_px` 256 a crop of 32 px is the middle eighth of a picture, which is noise."""
    fill(tmp_path / "pictures", 20)
    trained = trainers.train(
        "imagenet",
        data="folder",
        data_dir=str(tmp_path / "pictures"),
        run_dir=tmp_path / "run",
        model="resnet8",
        image_size=32,
        steps=60,
        round_steps=60,
        batch_size=16,
        color=False,
        augmentation="none",
        pictures=False,
        verbose=False,
    )
    assert trained.last["validation_error"] == 0


def test_the_split_is_written_down(begun):
    root, run_dir = begun
    written = json.loads((run_dir / "split.json").read_text())
    assert written["columns"] == ["name", "label", "bytes", "hash"]
    assert written["class_names"] == ["blue", "red"] and written["data_dir"] == str(root)
    rows = [row for name in sources.SPLITS for row in written[name]]
    assert {row[0] for row in rows} == {p.relative_to(root).as_posix() for p in root.rglob("*.png")}
    for name, label, size, _ in rows:
        assert (root / name).stat().st_size == size and name.startswith(f"{label}/")
    judged = {p.name for p in sources.load("folder", "validation", data_dir=str(root)).pictures}
    assert {row[0] for row in written["validation"]} == judged


def test_the_hash_is_of_a_files_ends(tmp_path):
    """Bytes that differ there, or in number, are seen; the middle of a large file is not."""
    file = tmp_path / "file"

    def facts(content):
        file.write_bytes(content)
        return split.facts_of(file)

    long = bytearray(random.Random(0).randbytes(20_000))
    for at, seen in ((0, True), (4095, True), (10_000, False), (15_904, True), (19_999, True)):
        changed = bytearray(long)
        changed[at] ^= 1
        assert (facts(long) != facts(changed)) == seen, at
    assert facts(long) != facts(long + b"x")
    for size in (0, 1, 4096, 4097, 8191):
        assert facts(long[:size])[0] == size
        assert size == 0 or facts(long[:size]) != facts(bytes([long[0] ^ 1]) + long[1:size])


CHANGES = {
    "a renamed class": lambda root: (root / "red").rename(root / "zebra"),
    "a new class": lambda root: fill(root, 3, ["green"]),
    "a class that is gone": lambda root: shutil.rmtree(root / "red"),
    "other classes": lambda root: [
        (root / old).rename(root / new) for old, new in (("red", "x"), ("blue", "y"))
    ],
    "a picture that is gone": lambda root: (root / "red/3.png").unlink(),
    "a new picture": lambda root: shutil.copy(root / "red/3.png", root / "red/more.png"),
    "another picture": lambda root: shutil.copy(root / "red/3.png", root / "red/4.png"),
    "a picture of another class": lambda root: (root / "red/3.png").rename(root / "blue/33.png"),
    "other names": lambda root: [p.rename(p.with_name(f"x{p.name}")) for p in root.rglob("*.png")],
}
SAID = {
    "a renamed class": "class 'red', which .* was trained on, is 'zebra' in .*: give it its old",
    "a new class": "other classes than .* was trained on: 'green' new: put them as they were",
    "a class that is gone": "other classes than .*: 'red' gone: put them",
    "other classes": r"other classes \('x', 'y'\) than .* \('blue', 'red'\): expected those of",
    "a picture that is gone": r"1 gone from their class \(red/3.png\): undo that, or go on with",
    "a new picture": r"1 new \(red/more.png\): undo that, or go on .* by --accept_changed_data",
    "another picture": r"1 changed \(red/4.png\): undo that, or",
    "a picture of another class": r"1 gone from their class \(red/3.png\), 1 new \(blue/33.png\):",
    "other names": "none of the pictures that .* was begun with is in .*: give --data_dir=",
}
REFUSED = ("a renamed class", "a new class", "a class that is gone", "other classes", "other names")


@pytest.mark.parametrize("name", CHANGES)
def test_what_has_changed_is_told_by_whoever_asks(both, name):
    """Resuming, evaluation, precise_bn (which asks for the training images) and export."""
    root, run_dir = both
    CHANGES[name](root)
    manifest, exported = archive.load_manifest(run_dir), classifier.from_run(run_dir)
    kept = (run_dir / "split.json").read_bytes()
    for accepted in (False, True):
        other = run_images.Images(accepted=accepted)
        asked = {
            "train": lambda o=other: run_images.source_of(manifest, "train", o, run_dir),
            "validation": lambda o=other: run_images.source_of(manifest, "validation", o, run_dir),
            "export": lambda a=accepted: export_images.of_run(
                exported, "validation", 4, export_images.Asked(None, None, run_dir, a)
            ),
            "resume": lambda a=accepted: start(root, run_dir, accept_changed_data=a),
        }
        if accepted and name not in REFUSED:
            for each in asked.values():
                each()
            continue
        if name == "another picture":  # contents are looked at of the split that is asked for
            names = {p.name for p in sources.load("folder", "train", data_dir=str(root)).pictures}
            other_split = "validation" if "red/4.png" in names else "train"
            asked = {k: v for k, v in asked.items() if k in ("resume", "train", "validation")}
            assert asked.pop(other_split)().num_classes == 2
        for asking, each in asked.items():
            sentence = sentence_of(each)
            assert re.search(SAID[name], sentence), (asking, sentence)
        assert (run_dir / "split.json").read_bytes() == kept


def test_a_run_goes_on_with_what_is_still_there(both, capsys):
    """Removed ones are left out, added ones never taken; both are said once, and remembered."""
    root, run_dir = both
    before = split.read(run_dir)
    gone, *_, last = [f.name for f in before.files["train"]]
    (root / gone).unlink()
    shutil.copy(root / last, root / "red" / "added.png")
    trained = start(root, run_dir, steps=4, accept_changed_data=True)
    assert trained.step == 4 and "NOTE: folder: " in capsys.readouterr().err
    after = split.read(run_dir)
    assert after.images == before.images and after.passed_over == ("red/added.png",)
    assert [f.name for f in after.files["train"]] == [f.name for f in before.files["train"]][1:]
    assert after.files["validation"] == before.files["validation"]
    start(root, run_dir)  # without the flag: as it is now
    assert "NOTE: folder: " not in capsys.readouterr().err
    shutil.copy(root / last, root / "red" / "more.png")
    assert "1 new (red/more.png)" in sentence_of(start, root, run_dir)


def test_pictures_that_have_moved_are_the_same(both, tmp_path):
    """A copy of the data elsewhere; and another directory with the classes is judged if named."""
    root, run_dir = both
    manifest = archive.load_manifest(run_dir)
    moved = root.rename(tmp_path / "moved")
    sentence_of(run_images.source_of, manifest, "validation", run_images.OWN, run_dir)
    there = run_images.Images(data_dir=str(moved))
    found = run_images.source_of(manifest, "validation", there, run_dir)
    assert [p.name for p in found.pictures] == [
        f.name for f in split.read(run_dir).files["validation"]
    ]
    other = fill(tmp_path / "other" / "nested", 3).rename(tmp_path / "others")
    for path in other.rglob("*.png"):
        path.rename(path.with_name(f"other-{path.name}"))
    elsewhere = run_images.Images(data_dir=str(other))
    told = sentence_of(run_images.source_of, manifest, "validation", elsewhere, run_dir)
    assert "none of the pictures" in told and "--data=folder --split=all" in told
    everything = run_images.Images("folder", str(other))
    assert run_images.source_of(manifest, "all", everything, run_dir).length == 6


def test_a_run_of_the_time_before_splits_as_it_did(both, tmp_path):
    """Without `split.json` and without a word of the drawing in its manifest."""
    root, run_dir = both
    (run_dir / "split.json").unlink()
    manifest = archive.load_manifest(run_dir)
    assert manifest.data["drawing"] == "hash"
    hashed = run_images.source_of(manifest, "validation", run_images.OWN, run_dir)
    text = (run_dir / "manifest.json").read_text()
    (run_dir / "manifest.json").write_text(re.sub(r',\s*"drawing": "hash"', "", text))
    manifest = archive.load_manifest(run_dir)
    (root / "blue" / "nested").mkdir()
    shutil.copy(root / "blue" / "0.png", root / "blue" / "nested" / "unseen.png")
    found = run_images.source_of(manifest, "validation", run_images.OWN, run_dir)
    expected = []
    for label in ("blue", "red"):  # as it was drawn, by Python's own generator
        paths = sorted(str(p) for p in (root / label).glob("*.png"))
        expected += sorted(random.Random(f"0/{label}").sample(paths, 2))
    assert list(found.files) == expected != list(hashed.files)
    assert start(root, run_dir).step == 4 and not (run_dir / "split.json").exists()
    fill(root, 3, ["green"])
    assert "'green' is new" in sentence_of(start, root, run_dir)


def test_a_start_that_ended_before_a_checkpoint_stands_in_nobodys_way(tmp_path):
    """What is advised can be done: with `flags.txt` there, another rate was another run's."""
    root, run_dir = fill(tmp_path / "pictures", 4), tmp_path / "run"
    told = sentence_of(start, root, run_dir, learning_rate=1e30)
    assert "lower --learning_rate" in told
    assert start(root, run_dir, learning_rate=0.01).step == 4
    assert "--learning_rate=0.01" in (run_dir / "flags.txt").read_text()
    assert "--batch_size" in sentence_of(start, root, run_dir, batch_size=8)


def test_an_ensemble_is_judged_on_the_same_pictures(begun, tmp_path):
    root, run_dir = begun
    shutil.copytree(run_dir, tmp_path / "other")
    kept = split.read(run_dir)
    swapped = dict(zip(kept.files, reversed(kept.files.values()), strict=True))
    counts = {name: len(files) for name, files in swapped.items()}
    split.write(tmp_path / "other", dataclasses.replace(kept, files=swapped, images=counts))
    told = sentence_of(trainers.evaluate, [run_dir, tmp_path / "other"])
    assert "must be judged on the same images" in told
    both = trainers.evaluate(
        [run_dir, tmp_path / "other"], data="folder", data_dir=str(root), split="all"
    )
    assert both["images"] == 20 and both["left_out"] == {".tif": 1}


def test_the_programs_tell_what_they_have_read(both):
    """As a person types them: the headline, another split, what changed, precise statistics."""
    root, run_dir = both
    flags = ["--data=folder", f"--data_dir={root}", "--recipe=cifar10", "--model=resnet8"]
    flags += ["--image_size=16", "--batch_size=16", "--steps=4", "--round_steps=2", "--nopictures"]
    result = run("classify", *flags, f"--run_dir={run_dir}")
    assert result.returncode == 0, result.stderr
    assert "on folder: 20 pictures; 1 .tif left out; " in result.stdout
    (root / "red").rename(root / "zebra")
    for program in ("classify", "evaluate", "precise_bn"):
        words = flags if program == "classify" else []
        result = run(program, *words, f"--run_dir={run_dir}")
        assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result.stderr
        assert result.stderr.startswith(f"trainers.{program}: folder: ")
        assert len(result.stderr.strip()) <= LONGEST


def test_a_prepared_sets_fingerprint_is_compared(tmp_path):
    """Its version, and how many examples and bytes each split has."""
    source = sources.in_memory("cifar10", "train", ["a", "b"], [[[[0, 0, 0]]]], [0])
    found = {"set": "cifar10/3.0.2", "splits": {"train": [1, 3, 1]}}
    both = {name: dataclasses.replace(source, fingerprint=found) for name in sources.SPLITS}
    split.write(tmp_path, split.of(both, None, 0))
    kept = split.read(tmp_path)
    recorded.check_set(kept, both["train"], tmp_path, False)
    newer = dataclasses.replace(source, fingerprint={**found, "set": "cifar10/4.0.0"})
    told = sentence_of(recorded.check_set, kept, newer, tmp_path, False)
    assert "cifar10/4.0.0, expected cifar10/3.0.2" in told
    recorded.check_set(kept, newer, tmp_path, True)
    other = dataclasses.replace(newer, class_names=("a", "c"))
    assert "other classes" in sentence_of(recorded.check_set, kept, other, tmp_path, True)


def test_a_record_that_cannot_be_read_is_a_sentence(both):
    root, run_dir = both
    (run_dir / "split.json").write_text('{"format": 1')
    assert "restore it from a copy" in sentence_of(start, root, run_dir)


@pytest.mark.parametrize(
    "given, expected",
    [
        (dict(data_dir="x"), "folder"),
        (dict(data_dir="x", model="resnet50"), "folder"),
        (dict(data_dir="x", recipe="imagenet"), "imagenet2012"),  # which TFDS keeps in a directory
        (dict(data_dir="x", data="cifar10"), "cifar10"),
        (dict(), "digits"),
    ],
)
def test_a_directory_means_its_pictures(given, expected):
    assert plan_of(**given).data == expected


def test_a_directory_for_digits_is_refused():
    for given in (dict(data="digits"), dict(recipe="digits"), dict(data="synthetic")):
        assert "--data_dir=x is not for" in sentence_of(plan_of, data_dir="x", **given)


@pytest.mark.parametrize(
    "given, images, side, expected",
    [  # steps, steps a round, image size; 30 epochs are 30 * images / 32 steps
        (dict(), 320, 500, (300, 15, 96)),
        (dict(), 60, 500, (200, 10, 96)),  # fewer would learn nothing
        (dict(), 12_800, 80, (12_000, 600, 80)),
        (dict(), 320, 32, (300, 15, 64)),  # the stem makes 2 x 2 of that
        (dict(model="resnet20"), 320, 32, (300, 15, 32)),
        (dict(model="resnet20"), 320, 500, (300, 15, 64)),
        (dict(epochs=2), 320, 500, (20, 10, 96)),
        (dict(steps=7), 320, 500, (7, 7, 96)),
        (dict(image_size=128, batch_size=64), 320, 500, (200, 10, 128)),
    ],
)
def test_the_recipe_of_a_folder_is_sized_by_its_pictures(given, images, side, expected):
    asked = plan_of(data_dir="x", **given)
    assert asked.recipe.name == "folder"
    recipe = sizing.settled(asked, images, side).recipe
    assert (recipe.steps, recipe.round_steps, recipe.image_size) == expected


def test_epochs_are_a_way_to_say_steps():
    recipe = sizing.settled(plan_of(epochs=3), 1442).recipe  # digits: batches of 64
    assert (recipe.steps, recipe.epochs) == (68, None)  # 3 * 1442 / 64 = 67.6
    assert sizing.settled(plan_of(), 1442).recipe.steps == 900
    assert "both say how long" in sentence_of(plan_of, epochs=3, steps=100)


def test_a_folder_alone_is_trained_and_resumed_as_it_was_sized(tmp_path, capsys):
    """Median sides and counts of the first start: what came since sizes nothing anew."""
    root = fill(tmp_path / "pictures", 6, size=40)
    given = dict(data_dir=str(root), run_dir=tmp_path / "run", model="resnet8", pictures=False)
    given |= dict(epochs=2, batch_size=4)
    trained = trainers.train(**given)
    kept = split.read(tmp_path / "run")
    assert kept.shorter_px == 40
    steps = -(-2 * kept.images["train"] // 4)
    assert trained.step == steps
    headline = capsys.readouterr().out.splitlines()[0]
    assert f"starting; {steps} steps, " in headline and headline.endswith(" epochs at 40 px")
    (root / kept.files["train"][0].name).unlink()
    assert trainers.train(**given, accept_changed_data=True).step == steps
    told = sentence_of(trainers.train, **given | dict(epochs=1))
    assert f"was trained for {steps} steps: expected more" in told
    assert trainers.train(**given | dict(epochs=3)).step == -(-3 * kept.images["train"] // 4)
