"""Any name that the system allows: of a run's directory, of the pictures', of files and classes."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess

import export_networks
import pytest
import tensorflow as tf
from absl import flags
from pictures_in_folders import fill, picture, write
from runs_on_digits import run
from small_disks import small_disk

import trainers
from export import card_text, formats, images, publish
from trainers.data import skipped, sources
from trainers.engine import metrics
from trainers.judging import evaluation
from trainers.judging import options as judging
from trainers.plan import flags as plan
from trainers.plan import flags_txt
from trainers.run import directory, ending, keywords, options
from trainers.run.training import Trained
from trainers.watching.tensorboard import hyper_parameters
from zoo import archive, texts

ODD = "x=[1,2] a\\[b]*?{c}'\"$^$%s #é猫\n"
SMALL = dict(model="resnet8", image_size=16, batch_size=8, pictures=False, recipe="cifar10")


def start(root, run_dir, **given):
    chosen = SMALL | dict(steps=2, round_steps=2, verbose=False) | given
    return trainers.train(data_dir=root, data="folder", run_dir=run_dir, **chosen)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """(pictures, run directory) of a run of two steps."""
    root = fill(tmp_path_factory.mktemp("data") / "pictures", 6)
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    start(root, run_dir)
    return root, run_dir


def plan_of(**given):
    values = keywords.parse("test", (plan.define, options.define), given)
    return plan.run(values)


def test_checkpoints_of_any_directory_are_found_again(tmp_path, capsys):
    """TensorFlow's readers take brackets and backslashes for a pattern, and find nothing."""
    run_dir = tmp_path / ODD.strip()
    given = dict(steps=2, round_steps=2, batch_size=8, run_dir=run_dir, pictures=False)
    trainers.train(**given)
    trainers.train(**given)
    assert "resuming at step 2" in capsys.readouterr().out
    assert trainers.evaluate(run_dir, limit=8)["images"] == 8


@pytest.mark.parametrize("name", ["a[1]", "a]", "b*", "c?", "d\\e"])
def test_a_saved_model_is_refused_where_nobody_could_load_it(tmp_path, name):
    source = export_networks.digits_classifier()
    evidence = images.Evidence(images.of_run(source, "validation", 4))
    with pytest.raises(ValueError, match="another --output_dir than "):
        publish.publish(source, formats.find("saved_model"), evidence, tmp_path / name)
    assert not (tmp_path / name).exists()


def test_the_home_directory_is_expanded(monkeypatch):
    """No shell does it behind `=`; Python's callers are helped too."""
    monkeypatch.setenv("HOME", "/home/ada")
    given = dict(data_dir="~/photos", run_dir="~/runs/~x")
    values = keywords.parse("test", (plan.define, options.define), given)
    assert (values.data_dir, values.run_dir) == ("/home/ada/photos", "/home/ada/runs/~x")
    several = keywords.parse("test", (judging.define_judging,), dict(run_dir=["~/a", "b"]))
    assert several.run_dir == ["/home/ada/a", "b"]
    with pytest.raises(ValueError, match="expected a directory, got the file"):
        monkeypatch.setenv("HOME", str(pathlib.Path(__file__).parent))
        keywords.parse("test", (options.define,), dict(run_dir=f"~/{pathlib.Path(__file__).name}"))


def test_spellings_of_one_directory_are_the_same_run(begun, tmp_path, monkeypatch):
    """Where the pictures live is no trait of a run, and how --init_from is spelled neither."""
    root, run_dir = begun
    monkeypatch.chdir(root.parent)
    assert start("pictures", os.path.relpath(run_dir)).step == 2
    monkeypatch.chdir(run_dir.parent)
    given = dict(recipe=None, model=None, init_from="run")
    start(root, tmp_path / "tuned", **given)
    again = given | dict(init_from=str(run_dir))
    assert start(root, tmp_path / "tuned", **again).step == 2
    shutil.copytree(run_dir, tmp_path / "other")
    with pytest.raises(ValueError, match="--init_from differ"):
        start(root, tmp_path / "tuned", **given | dict(init_from=str(tmp_path / "other")))


def test_flags_txt_alone_repeats_the_run(begun, tmp_path, monkeypatch):
    """Read in another directory, the pictures included."""
    root, run_dir = begun
    monkeypatch.chdir(root.parent)
    given = dict(data_dir="pictures", init_from=os.path.relpath(run_dir), freeze="backbone")
    text = directory.repeating(plan_of(**given), given["data_dir"])
    (tmp_path / "flags.txt").write_text(text)
    monkeypatch.chdir(tmp_path)
    values = flags.FlagValues()
    plan.define(values)
    options.define(values)
    values(["classify", "--flagfile=flags.txt"])
    assert (values.data_dir, values.init_from) == (str(root), str(run_dir))
    assert plan.run(values) == plan_of(**given | dict(data_dir=str(root), init_from=str(run_dir)))
    assert f"--data_dir={root}\n" in (run_dir / "flags.txt").read_text()


def test_a_classs_name_fits_on_a_line_of_text(tmp_path):
    """Of `labels.txt`, and of the artifact's: refused before anything is read of its pictures."""
    for name in (b"bl\xffue", b"bl\nue", b"bl\x1bue"):
        root = fill(tmp_path / str(len(name) + name[2]), 2)
        os.rename(root / "blue", os.path.join(os.fsencode(root), name))
        with pytest.raises(ValueError, match=r"on one line, got 'bl\\.*ue': rename it"):
            start(root, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("error::UserWarning")
def test_files_and_classes_of_any_other_names_are_trained_and_judged(tmp_path, capfd):
    root = tmp_path / "pictures"
    for number, label in enumerate(("blue", "red")):
        for file in range(6):
            write(root / f"{number}" / f"{file}.png", picture(label, file))
    os.rename(root / "0", root / "$^$ 猫 🙂")
    os.rename(root / "1", root / "Café – 猫 $5")
    for inner in root.iterdir():
        for file in sorted(inner.iterdir())[:4]:
            odd = os.fsencode(inner) + b"/\xff\n" + os.fsencode(file.name)
            os.rename(file, odd)
    broken = os.fsencode(root / "Café – 猫 $5") + b"/zz\xfe\n.png"
    pathlib.Path(os.fsdecode(broken)).write_bytes(b"no picture")
    start(root, tmp_path / "run", max_skipped=0.9)
    names = (tmp_path / "run" / skipped.NAME).read_text(encoding="utf-8").splitlines()
    assert names == [f"train\t{root}/Café – 猫 $5/zz\\udcfe\\n.png"]
    result = trainers.evaluate(tmp_path / "run")
    assert [c["name"] for c in result["classes"]] == ["$^$ 猫 🙂", "Café – 猫 $5"]
    written = json.loads((tmp_path / "run" / "evaluation.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(result))  # the names' odd bytes too
    assert "Glyph" not in capfd.readouterr().err


def test_printed_commands_can_be_pasted(tmp_path, capsys):
    record = {"validation_error": 0.5}
    ending.say(Trained(pathlib.Path("a b/$c"), 2, (record,), metrics.CLASSIFICATION))
    words = shlex.split(capsys.readouterr().out)
    assert "--logdir=a b/$c," in words and "--run_dir=a b/$c" in words
    nested = fill(tmp_path / "a b" / "photos", 2)
    with pytest.raises(ValueError) as caught:
        sources.load("folder", "train", data_dir=str(nested.parent))
    assert f"--data_dir={nested}" in shlex.split(str(caught.value))


def test_model_and_data_are_the_runs_not_the_recipes(begun):
    """The recipe is cifar10's, which is for resnet20 on cifar10 where nobody says otherwise."""
    asked = plan_of(data="folder", data_dir="x", model="resnet8", recipe="cifar10", image_size=8)
    told = hyper_parameters(asked)
    assert (told["model"], told["data"], told["recipe"]) == ("resnet8", "folder", "cifar10")
    manifest = archive.load_manifest(begun[1])
    recipe = manifest.recipe
    assert (recipe["name"], recipe["model"], recipe["data"]) == ("cifar10", "resnet8", "folder")
    older = {"recipe": {"name": "cifar10", "model": "resnet20", "data": "cifar10"}}
    text = card_text.training({"training": {"network": {"name": "resnet8"}, **older}})
    assert "name resnet8" in text and "name cifar10" in text
    assert "resnet20" not in text and "data cifar10" not in text


def test_a_run_that_may_not_be_written_to_is_judged(begun, tmp_path):
    """Its numbers are printed first; they are written wherever --output_dir says."""
    with small_disk(tmp_path / "disk", "20m") as disk:
        shutil.copytree(begun[1], disk / "run")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        printed = run("evaluate", f"--run_dir={disk}/run")
        given = dict(run_dir=[str(disk / "run")], output_dir=str(tmp_path / "elsewhere"))
        values = keywords.parse("test", (judging.define_judging,), given)
        asked = judging.read_judging(values)
        evaluation.evaluate(asked, tf.distribute.get_strategy())
        assert (tmp_path / "elsewhere" / "evaluation.json").exists()
    assert printed.returncode == 1 and "  top-1 error" in printed.stdout
    assert "may not be written to (Read-only file system): give another --output" in printed.stderr
    assert len(printed.stderr.splitlines()) == 1


def test_what_would_break_a_list_of_names_is_escaped():
    assert texts.on_one_line("a\nb\udcff猫 \u2028") == "a\\nb\\udcff猫 \\u2028"


def test_moved_pictures_are_no_other_run(begun):
    """`differing` passes over the place that flags.txt has of late."""
    run_dir = begun[1]
    text = (run_dir / "flags.txt").read_text()
    assert flags_txt.differing(text, text.replace("--data_dir=", "--data_dir=/elsewhere")) == []
    older = "".join(line for line in text.splitlines(True) if not line.startswith("--data_dir"))
    assert flags_txt.differing(text, older) == []
    assert directory.begun(run_dir)


def test_runs_older_than_a_flag_are_of_its_default(begun):
    """A run of before `--decay` was one with decay on kernels: it goes on as it did."""
    text = (begun[1] / "flags.txt").read_text()
    older = "".join(line for line in text.splitlines(True) if not line.startswith("--decay="))
    assert older != text and flags_txt.differing(text, older) == []
    other = text.replace("--decay=kernels", "--decay=all")
    assert flags_txt.differing(other, older) == ["decay"]
