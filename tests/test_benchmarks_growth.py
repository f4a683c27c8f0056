"""How cost grows: the arithmetic by hand, and one small network through the real processes."""

import subprocess
import types

import pytest

from benchmarks import harness
from benchmarks.growth import chapter, collect, pictures, plan, programs


def net(layers, multiply_adds, **figures):
    return {"layers": layers, "multiply_adds": multiply_adds, **figures}


def result(**more):
    networks = {
        "resnet20": net(
            20,
            40_000_000,
            build_seconds=0.5,
            train_batch_size=32,
            train_seconds_an_image=0.004,
            serve_seconds_an_image=0.002,
            train_mib={"8": 100.0, "32": 148.0},
        ),
        "resnet50": net(50, 4_000_000_000, serve_seconds_an_image=0.05),
    }
    programs = {
        "zoo": {"seconds": 0.1, "imports": []},
        "trainers.classify": {"seconds": 0.2, "imports": ["numpy"]},
    }
    figures = {
        "machine": {"flop_per_second": 200e9},
        "networks": networks,
        "programs": programs,
        "bare": {"python": 0.02, "tensorflow": 4.0, "tensorflow_ours": 2.0},
    }
    told = {"folder": "speed", "calls": 3, "left_out": []}
    return {**told, "figures": figures | more, "failed": {"networks": {}}}


def test_the_ideal_line():
    # 4e9 multiply-adds are 8e9 operations: 0.04 s at 200 GFLOP/s, and three times that to train
    assert chapter.ideal_seconds(4_000_000_000, "serve", 200e9) == pytest.approx(0.04)
    assert chapter.ideal_seconds(4_000_000_000, "train", 200e9) == pytest.approx(0.12)
    networks = result()["figures"]["networks"]
    assert chapter.share(networks["resnet50"], "serve", 200e9) == pytest.approx(0.8)
    assert chapter.share(networks["resnet50"], "train", 200e9) is None
    assert chapter.share(networks["resnet50"], "serve", None) is None


def test_an_images_memory_is_the_slope_between_the_largest_batches():
    assert chapter.mib_an_image({"128": 500.0, "8": 90.0, "32": 116.0}) == 4.0  # 384 / 96


def test_the_chapter_says_what_was_found():
    text = chapter.page(result())
    assert text.startswith("## How cost grows\n\n### Seconds an image\n")
    assert "![Seconds an image against multiply-adds](speed/growth_time.png)" in text
    # 24e7 operations of training are 1.2 ms at best, 8e7 of serving 0.4
    assert "| resnet20 | 0.04e9 | 32 | 4 (30%) | 2 (20%) |" in text
    assert "| resnet50 | 4e9 |  |  | 50 (80%) |" in text
    assert "| resnet20 | 100 (8), 148 (32) | 2 |" in text
    assert "| resnet20 | 20 | 0.5 |" in text
    assert "all 2 programs" in text and "the slowest is trainers.classify, 0.20 s" in text
    assert text.endswith("imports neither TensorFlow nor Keras: met\n")


def test_the_chapter_names_what_is_missed_and_missing():
    programs = {
        "zoo": {"seconds": 0.1, "imports": ["numpy", "tensorflow"]},
        "export.onnx": {"seconds": 0.75, "imports": []},
    }
    found = result(programs=programs, machine={})
    found["left_out"] = ["resnet1202: train", "plain32: serve"]
    found["failed"] = {"machine": {"matmul": "no such op"}, "networks": {"resnet1202 train": "?"}}
    text = chapter.page(found)
    assert "missed: zoo imports tensorflow; export.onnx takes 0.75 s\n" in text
    assert "No ideal line" in text and "| resnet20 | 0.04e9 | 32 | 4 | 2 |" in text
    assert "(`--all` measures them too): resnet1202: train; plain32: serve.\n" in text
    assert text.endswith("Not measured:\n\n- matmul: no such op\n- resnet1202 train: ?\n")


def test_pictures_are_drawn_of_what_there_is(tmp_path):
    pictures.draw(result(), tmp_path)
    drawn = {path.name for path in tmp_path.glob("*.png") if path.stat().st_size > 5000}
    assert drawn == {f"growth_{name}.png" for name in ("time", "memory", "build", "start")}
    quick = result(networks={"resnet8": net(8, 12_000_000, train_mib={"8": 50.0})}, machine={})
    pictures.draw(quick, tmp_path / "quick")
    assert not (tmp_path / "quick" / "growth_memory.png").exists()


def test_every_network_is_planned_and_the_deepest_training_stands_alone():
    tasks = plan.full()
    names = {task.model for task in tasks}
    assert {"plain34", "resnet50", "resnet110", "resnet1202"} <= names and len(names) == 19
    deepest = [task for task in tasks if task.model == "resnet1202"]
    assert [task.parts for task in deepest] == [("serve", "store"), ("train",)]
    assert all(list(task.batch_sizes) == sorted(task.batch_sizes) for task in tasks)
    assert [str(task) for task in tasks if plan.takes_long(task)] == ["resnet1202: train"]
    assert plan.Task("plain34", ("train", "serve"), (8,)) in tasks


def test_a_failure_is_named_and_the_rest_goes_on(monkeypatch, capsys, tmp_path):
    def alone(module, contender, settings):
        assert module == "benchmarks.growth"
        if settings["model"] == "resnet14":
            raise subprocess.CalledProcessError(-9, "python", stderr="")
        return {"layers": 8, f"{contender}_seconds": 1.0, "threads": 2}

    monkeypatch.setattr(harness, "alone", alone)
    tasks = [plan.Task(name, ("train", "export"), (8,)) for name in ("resnet8", "resnet14")]
    found, failed = collect.networks(tasks, tmp_path)
    expected = {"layers": 8, "network_seconds": 1.0, "load_saved_model_seconds": 1.0}
    assert found == {"resnet8": expected}
    assert failed == {"resnet14: train, export": "killed, as systems do when memory runs out"}
    assert "resnet14: train, export; failed: killed" in capsys.readouterr().out


def test_programs_are_those_with_a_guard(tmp_path, monkeypatch):
    for path, text in {
        "zoo/__init__.py": "",
        "zoo/__main__.py": "pass\n",
        "zoo/specs.py": "'if __name__ == \"__main__\":'\n",
        "trainers/data/serve.py": 'def main(): pass\n\nif __name__ == "__main__":\n    main()\n',
        "elsewhere/tool.py": 'if __name__ == "__main__":\n    pass\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert programs.names(tmp_path) == ["trainers.data.serve", "zoo"]


def test_imports_are_read_from_pythons_own_list(monkeypatch):
    text = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:        90 |        150 |   numpy.linalg\n"
        "import time:        60 |        210 | numpy\n"
        "no such file: tensorflow\n"
    )
    assert programs.imported(text) == {"numpy.linalg", "numpy"}
    calls = []
    monkeypatch.setattr(
        programs,
        "run",
        lambda *words: calls.append(words) or types.SimpleNamespace(stderr=text),
    )
    measured = programs.measure("zoo", 3)
    assert measured["imports"] == ["numpy"] and measured["seconds"] > 0
    assert calls.count(("-m", "zoo", "--help")) == 3


def test_a_small_network_in_a_process_of_its_own(tmp_path):
    settings = dict(model="resnet8", parts="train,serve,store", batch_sizes="2,64", folder=tmp_path)
    figures = harness.alone("benchmarks.growth", "network", settings)
    assert figures["layers"] == 8 and figures["parameters"] == 75_290  # README's
    # 16 filters of 3x3x3 on 32x32; six 3x3 of 16..64 on 32, 16, 8 pixels; 64x10, by hand
    macs = 1024 * 16 * 27 + 2 * 1024 * 2304 + 256 * (4608 + 9216) + 64 * (18432 + 36864) + 640
    assert figures["multiply_adds"] == macs
    assert figures["train_batch_size"] == 64
    few, many = (figures["train_mib"][size] for size in ("2", "64"))
    # 62 images more keep four maps of 16 x 32 x 32 floats alive at the least: 16 MB
    assert many - few > 15
    positive = ("build", "first_step", "first_answer", "save", "load")
    assert all(figures[f"{name}_seconds"] > 0 for name in positive)
    assert figures["first_step_seconds"] > 64 * figures["train_seconds_an_image"] > 0
    assert figures["serve_seconds_an_image"] > 0
