"""The runs of a study: a program of training with flags, in a folder that studies share.

A run's directory is named for its flags, so two studies that need the same run train it once, and
the same command again goes on where it was stopped.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import json
import shlex
import subprocess
import sys
import time

from zoo import files, specs

# Digits: 8x8 images, 400 steps, the paper's two drops. At the paper's rate of 0.1 the deeper
# nets of either kind have not begun to learn after 300 steps.
DEMO = {
    "data": "digits",
    "recipe": "digits",
    "learning_rate": "0.02",
    "schedule": "step",
    "drops": "0.5,0.75",
    "steps": "400",
    "round_steps": "40",
}
CIFAR = {"data": "cifar10", "recipe": "cifar10"}
WARMUP = {"data": "cifar10", "recipe": "cifar10_warmup"}
IMAGENET = {"data": "imagenet2012", "recipe": "imagenet"}
NO_DIRECTORY = ("digits", "scenes", "synthetic")

CAVEAT = {
    "demo": "Demo scale: scikit-learn's digits, 1,442 images of 8x8 pixels to train and 355 to "
    "validate (one is 0.28 %), 400 steps of batch 64 at a learning rate of 0.02, divided by 10 "
    "after 200 and 300, unless a row says otherwise. It shows which way an effect goes; the "
    "paper's figures are of other data, and stand here to be read beside ours, not to be met.",
    "paper": "Full scale: the paper's data and recipe.",
}


class StudyError(ValueError):
    """A run that a study needs and that did not end well."""


@dataclasses.dataclass(frozen=True)
class Job:
    """One training run: a network, a seed, and flags of `trainers.PROGRAM`, by name.

    `start` names the state that training starts from, where that is not the seed's; `localiser` is
    the name of the job whose proposals it learns from.
    """

    model: str
    seed: int
    settings: tuple[tuple[str, str], ...]
    start: str = ""
    program: str = "classify"
    localiser: str = ""

    @property
    def data(self):
        return dict(self.settings)["data"]

    @property
    def arguments(self):
        named = {"model": self.model, "seed": self.seed, **dict(self.settings)}
        return [f"--{name}={value}" for name, value in named.items()]

    @property
    def name(self):
        told = [*sorted(self.arguments), *filter(None, [self.localiser])]
        key = hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]
        return f"{self.data}-{self.model}-seed{self.seed}-{key}{self.start}"


def settings(base, options, **more):
    """A scale's flags, changed by the command line and a study: a mapping -> a Job's settings."""
    changed = {**base, **more, **options.engine}
    if options.steps:
        changed["steps"] = str(options.steps)
        changed["round_steps"] = str(max(1, options.steps // 10))
    return tuple(changed.items())


@dataclasses.dataclass(frozen=True)
class Results:
    """What runs measured, by label, an entry a seed; `origin`: the seeds, seconds of each run."""

    histories: dict[str, list]
    judged: dict[str, list]  # "error" and "error_top5", as the paper reports them
    origin: dict

    def training(self, label):
        """Training error of the last round, one a seed."""
        return [history[-1]["error"] for history in self.histories[label]]

    def validation(self, label):
        return [each["error"] for each in self.judged[label]]


def train(todo, options):
    """Starts, resumes or finds every run: {label: [Job]} -> Results; --jobs lists them and ends."""
    if options.jobs:
        list_jobs(todo, options)
    finish_together({job.name: job for each in todo.values() for job in each}, options)
    histories, verdicts, seconds = {}, {}, {}
    for label, each in todo.items():
        for job in each:
            run_dir = finish(job, options)
            histories.setdefault(label, []).append(history(run_dir))
            verdicts.setdefault(label, []).append(judged(job, run_dir))
            seconds[job.name] = seconds_of(run_dir)
    seeds = sorted({job.seed for each in todo.values() for job in each})
    return Results(histories, verdicts, {"seeds": seeds, "runs": seconds})


def finish_together(named, options):
    """Has all runs finished, `options.parallel` of them at a time: {name: Job}.

    Where several train, the longest begin, so that none is left to train alone at the end, and each
    writes into a file of its own what it would show: NAME.log.
    """
    todo = list(named.values())
    if options.parallel > 1:
        todo.sort(key=length, reverse=True)
    with concurrent.futures.ThreadPoolExecutor(options.parallel) as pool:
        for _ in pool.map(lambda job: finish(job, options), todo):
            pass  # the first that failed is raised here, and those that wait do not begin


def length(job):
    """How long a run takes, beside others of its study: steps times layers."""
    return int(dict(job.settings).get("steps", 1)) * specs.find(job.model).layers


def finish(job, options):
    """Starts, resumes or finds the run; returns its directory."""
    run_dir = options.runs_dir / job.name
    if is_finished(run_dir):
        return run_dir
    print(f"-- {job.name}", flush=True)
    start = time.monotonic()
    with shown_or_kept(run_dir, options) as output:
        command = [sys.executable, *command_of(job, options)]
        failed = subprocess.run(command, stdout=output, stderr=output).returncode
    if failed or not is_finished(run_dir):
        log = f" ({output.name} says why)" if output else ""
        raise StudyError(f"{run_dir} was not trained to its end{log}; the same command resumes it")
    files.write_json(run_dir / "study.json", {"seconds": round(time.monotonic() - start, 1)})
    return run_dir


@contextlib.contextmanager
def shown_or_kept(run_dir, options):
    """Where a run's output goes: None, to the terminal, or a file beside it."""
    if options.parallel == 1:
        yield None
        return
    options.runs_dir.mkdir(parents=True, exist_ok=True)
    with open(f"{run_dir}.log", "ab") as log:
        yield log


def command_of(job, options):
    """The words behind `python` that start or resume the run."""
    command = ["-m", f"trainers.{job.program}", *job.arguments]
    command += [f"--run_dir={options.runs_dir / job.name}", "--nopictures"]
    if job.localiser:
        command.append(f"--localiser={options.runs_dir / job.localiser}")
    if options.data_dir and job.data not in NO_DIRECTORY:
        command.append(f"--data_dir={options.data_dir}")
    return command


def list_jobs(todo, options):
    """Prints the command of every run that is not finished, once, and ends the program.

    Several machines can share them, over one --runs_dir; the study itself then finds them done.
    What starts from another run's end is begun by the study: until then it is not listed.
    """
    for job in {job.name: job for each in todo.values() for job in each}.values():
        run_dir = options.runs_dir / job.name
        if not is_finished(run_dir) and (run_dir.exists() or not job.start):
            print(shlex.join(["python", *command_of(job, options)]))
    raise SystemExit(0)


def is_finished(run_dir):
    """Whether the recipe's last round is in manifest, records and checkpoint alike.

    A run that was killed between two of them ends the same way when it is started again.
    """
    try:
        manifest = json.loads((run_dir / "manifest.json").read_text(encoding="utf-8"))
        last = history(run_dir)[-1]
    except (OSError, ValueError, IndexError):
        return False
    steps = manifest["recipe"]["steps"]
    saved = (run_dir / "checkpoints" / f"ckpt-{steps}.index").is_file()
    return saved and manifest["step"] == last["step"] == steps


def history(run_dir):
    """The run's records, an object a round."""
    lines = (run_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def seconds_of(run_dir):
    """What the run took, from its last start on if it was resumed; 0 if nobody measured it."""
    path = run_dir / "study.json"
    return json.loads(path.read_text(encoding="utf-8"))["seconds"] if path.exists() else 0


def judged(job, run_dir):
    """{"error", "error_top5"} as the paper reports them: of ten crops for ImageNet's images.

    There the statistics of batch normalisation are recomputed first, as the authors' were.
    """
    if job.data != IMAGENET["data"]:
        last = history(run_dir)[-1]
        return {name: last[f"validation_{name}"] for name in ("error", "error_top5")}
    result = run_dir / "ten_crop" / "evaluation.json"
    if not result.exists():
        asked = [f"--run_dir={run_dir}"]
        ask(run_dir, "precise_bn", *asked)
        asked += ["--weights=precise", "--views=ten_crop", f"--output_dir={result.parent}"]
        ask(run_dir, "evaluate", *asked)
    verdict = json.loads(result.read_text(encoding="utf-8"))
    return {name: verdict[name] for name in ("error", "error_top5")}


def ask(run_dir, name, *words):
    """Runs one of our programs about a run that is finished."""
    if subprocess.run([sys.executable, "-m", f"trainers.{name}", *words]).returncode:
        raise StudyError(f"{run_dir} could not be judged by trainers.{name}")
