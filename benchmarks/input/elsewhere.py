"""Crops of JPEGs without TensorFlow: by Pillow and OpenCV on threads, by PyTorch's DataLoader."""

from benchmarks import harness
from benchmarks.input import crops


def by_pil(path, rng):
    """The same augmentation of one file by Pillow: -> (SIZE, SIZE, 3) uint8."""
    import numpy as np
    from PIL import Image

    image = Image.open(path).convert("RGB")
    scale = rng.integers(crops.SCALES[0], crops.SCALES[1] + 1) / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
    left, top = (rng.integers(0, side - crops.SIZE + 1) for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + crops.SIZE, top + crops.SIZE)))
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def by_opencv(path, rng):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    scale = rng.integers(crops.SCALES[0], crops.SCALES[1] + 1) / min(image.shape[:2])
    height, width = (round(side * scale) for side in image.shape[:2])
    image = cv2.resize(image, (width, height))
    top, left = rng.integers(0, height - crops.SIZE + 1), rng.integers(0, width - crops.SIZE + 1)
    pixels = image[top : top + crops.SIZE, left : left + crops.SIZE]
    return pixels[:, ::-1] if rng.random() < 0.5 else pixels


def on_threads(function, folder):
    """By a thread for each core; both libraries let go of Python's lock while they work."""
    import concurrent.futures
    import itertools

    import numpy as np

    if function is by_opencv:
        import cv2

        cv2.setNumThreads(1)
    paths, rng = crops.pictures(folder), np.random.default_rng(0)
    with concurrent.futures.ThreadPoolExecutor(harness.CORES) as pool:
        endless = itertools.cycle(paths)

        def batch():
            some = itertools.islice(endless, crops.BATCH)
            return np.stack(list(pool.map(lambda path: function(path, rng), some)))

        return crops.rate(batch() for _ in itertools.count())


def torch_dataloader(folder):
    """Two worker processes with Pillow, as PyTorch's examples have it."""
    import numpy as np
    import torch

    paths = crops.pictures(folder)

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return 4 * crops.TIMED * crops.BATCH

        def __getitem__(self, index):
            pixels = by_pil(paths[index % len(paths)], np.random.default_rng(index))
            return torch.from_numpy(np.array(pixels))  # a copy, for Pillow's cannot be written to

    loader = torch.utils.data.DataLoader(Pictures(), crops.BATCH, num_workers=harness.CORES)
    return crops.rate(loader)
