"""Other libraries' networks with the weights of nobody: what the importers are compared with."""

import numpy as np
import pytest

TOLERANCE = 1e-5  # of the largest logit; other summation orders in float32 give up to 1e-6
MISTAKE = 1e-3  # what any wrong stride, padding, epsilon or mean must exceed

# Convolutions as small as this put their variance, about 1e-5, level with epsilon: a network with
# another epsilon then is another network, which no one would notice on variances of 1.
SMALL = 3e-3


def pixels(size=64, seed=1):
    """Two RGB images in 0-255: (2, size, size, 3) float32, red brighter than blue."""
    noise = np.random.default_rng(seed).integers(0, 200, (2, size, size, 3))
    return (noise + [55, 20, 0]).astype("float32")


def draw(rng, kind, shape, fan_in=1):
    """Sane numbers for one variable of a convolution, normalisation or head."""
    if kind == "kernel":
        return rng.normal(0, SMALL * np.sqrt(2 / fan_in), shape).astype("float32")
    spread = {"gamma": (0.5, 1.0), "beta": (-0.3, 0.3), "head": (-0.3, 0.3)}
    if kind in spread:
        return rng.uniform(*spread[kind], shape).astype("float32")
    if kind == "variance":
        return (SMALL**2 * rng.uniform(0.5, 2, shape)).astype("float32")
    return (SMALL * rng.normal(0, 0.3, shape)).astype("float32")  # means, and biases before them


def ours(model, images):
    return np.array(model(images, training=False))


def difference(got, wanted):
    """The largest difference, relative to the largest number wanted."""
    assert got.shape == wanted.shape
    assert np.abs(wanted).max() > 0.01 and np.std(wanted) > 0
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


def mutant(model, network):
    """The same weights in a network of other traits."""
    import zoo

    other = zoo.build_network(network)
    other.set_weights(model.get_weights())
    return other


# -- PyTorch


def randomise(net, seed=0):
    """Draws every parameter and statistic of a torch module; returns it in inference mode."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            fill(module.weight, draw(rng, "kernel", module.weight.shape, module.weight[0].numel()))
        elif isinstance(module, torch.nn.BatchNorm2d):
            n = module.num_features
            fill(module.weight, draw(rng, "gamma", n))
            fill(module.bias, draw(rng, "beta", n))
            fill(module.running_mean, draw(rng, "mean", n))
            fill(module.running_var, draw(rng, "variance", n))
        elif isinstance(module, torch.nn.Linear):
            fill(module.weight, draw(rng, "head", module.weight.shape))
            fill(module.bias, draw(rng, "head", module.bias.shape))
    return net.eval()


def fill(tensor, array):
    torch = pytest.importorskip("torch")
    tensor.data = torch.tensor(array)


def torch_logits(net, images, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    """Pixels as torchvision's transforms prepare them: fractions of white, mean, deviation."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(images).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    with torch.no_grad():
        out = net(x)
    return getattr(out, "logits", out).numpy()


def torchvision_like(depths, *, bottleneck=False, classes=12):
    """torchvision's ResNet written again from its documentation: same names, v1.5, pads alike."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            out = 4 * width if bottleneck else width
            if bottleneck:
                sizes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, out, 1, 1)]
            else:
                sizes = [(inputs, width, 3, stride), (width, width, 3, 1)]
            for i, (a, b, kernel, step) in enumerate(sizes, start=1):
                conv = nn.Conv2d(a, b, kernel, step, padding=kernel // 2, bias=False)
                self.add_module(f"conv{i}", conv)
                self.add_module(f"bn{i}", nn.BatchNorm2d(b))
            self.last = len(sizes)
            if stride > 1 or inputs != out:
                conv = nn.Conv2d(inputs, out, 1, stride, bias=False)
                self.downsample = nn.Sequential(conv, nn.BatchNorm2d(out))

        def forward(self, x):
            y = x
            for i in range(1, self.last + 1):
                y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
                y = y if i == self.last else torch.relu(y)
            return torch.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.pool = nn.MaxPool2d(3, 2, padding=1)
            inputs = 64
            for i, depth in enumerate(depths):
                width, units = 64 << i, []
                for unit in range(depth):
                    units.append(Block(inputs, width, 2 if i and not unit else 1))
                    inputs = 4 * width if bottleneck else width
                self.add_module(f"layer{i + 1}", nn.Sequential(*units))
            self.fc = nn.Linear(inputs, classes)

        def forward(self, x):
            x = self.pool(torch.relu(self.bn1(self.conv1(x))))
            for i in range(len(depths)):
                x = getattr(self, f"layer{i + 1}")(x)
            return self.fc(x.mean((2, 3)))

    return randomise(Net())


def common_cifar(n, *, option="A"):
    """The 6n + 2 net of PyTorch's CIFAR repositories: `shortcut`, `linear`, zeros on both sides."""
    torch = pytest.importorskip("torch")
    nn, functional = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.grows, self.quarter = inputs != width, width // 4
            if self.grows and option == "B":
                conv = nn.Conv2d(inputs, width, 1, stride, bias=False)
                self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(width))

        def forward(self, x):
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            if self.grows and option == "A":
                sides = (0, 0, 0, 0, self.quarter, self.quarter)
                x = functional.pad(x[:, :, ::2, ::2], sides)
            elif self.grows:
                x = self.shortcut(x)
            return torch.relu(y + x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(16)
            inputs = 16
            for i, width in enumerate((16, 32, 64)):
                units = []
                for unit in range(n):
                    units.append(Block(inputs, width, 2 if i and not unit else 1))
                    inputs = width
                self.add_module(f"layer{i + 1}", nn.Sequential(*units))
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            x = self.layer3(self.layer2(self.layer1(x)))
            return self.linear(x.mean((2, 3)))

    return randomise(Net())
