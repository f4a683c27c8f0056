"""What is measured of which network: a task for each process."""

import dataclasses

import zoo

BATCH_SIZES = {"cifar": (8, 32, 128), "imagenet": (2, 4, 8)}  # the last one is timed
EXPORTED = ("resnet18", "resnet20", "resnet50", "resnet110")  # resnet152 takes half a minute
QUICK = ("resnet8", "resnet14", "resnet20")
DEEP = 1000  # layers, beyond which a training takes minutes to trace


@dataclasses.dataclass(frozen=True)
class Task:
    """What one process measures of one network."""

    model: str
    parts: tuple[str, ...]
    batch_sizes: tuple[int, ...] = ()

    def __str__(self):
        return f"{self.model}: {', '.join(self.parts)}"


def quick():
    return [Task(name, ("train", "serve", "store"), (8,)) for name in QUICK]


def full():
    """The tasks of every network, by depth."""
    tasks = []
    for name in sorted(zoo.names(), key=lambda name: zoo.find(name).layers):
        spec = zoo.find(name)
        parts = ("train", "serve", "store") + (("export",) if name in EXPORTED else ())
        if spec.plain:
            tasks.append(Task(name, ("train", "serve"), BATCH_SIZES[spec.stem][-1:]))
        elif spec.layers < DEEP:
            tasks.append(Task(name, parts, BATCH_SIZES[spec.stem]))
        else:  # apart, so that a training that fails takes nothing with it
            tasks += [Task(name, ("serve", "store")), Task(name, ("train",), (2, 8))]
    return tasks


def takes_long(task):
    return zoo.find(task.model).layers > DEEP and "train" in task.parts
