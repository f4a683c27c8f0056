"""The same networks in PyTorch, as short as they can be: peers in training and serving."""

import torch
from torch import nn
from torch.nn import functional


class Unit(nn.Module):
    """Convolution, normalisation, ReLU or not."""

    def __init__(self, inputs, outputs, size, stride=1, relu=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        self.norm, self.relu = nn.BatchNorm2d(outputs), relu

    def forward(self, x):
        x = self.norm(self.conv(x))
        return functional.relu(x, inplace=True) if self.relu else x


class Block(nn.Module):
    """Units in a row, and the shortcut: projection, or zeros for new channels (option A)."""

    def __init__(self, units, stride, project=None):
        super().__init__()
        self.units, self.stride, self.project = nn.Sequential(*units), stride, project

    def forward(self, x):
        y = self.units(x)
        if self.project is not None:
            x = self.project(x)
        elif self.stride > 1:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return functional.relu(x + y, inplace=True)


def cifar(n, classes=10):
    """6n + 2 layers (Sec. 4.2): (B, 3, 32, 32) -> (B, classes)."""
    layers, inputs = [Unit(3, 16, 3)], 16
    for filters in (16, 32, 64):
        for number in range(n):
            stride = 2 if filters > 16 and number == 0 else 1
            units = [Unit(inputs, filters, 3, stride), Unit(filters, filters, 3, relu=False)]
            layers.append(Block(units, stride))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def resnet50(classes=1000):
    """Table 1, the stride on the first 1x1: (B, 3, 224, 224) -> (B, classes)."""
    layers, inputs = [Unit(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stage, (filters, depth) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3))):
        for number in range(depth):
            stride = 2 if stage and number == 0 else 1
            units = [
                Unit(inputs, filters, 1, stride),
                Unit(filters, filters, 3),
                Unit(filters, 4 * filters, 1, relu=False),
            ]
            project = Unit(inputs, 4 * filters, 1, stride, relu=False) if number == 0 else None
            layers.append(Block(units, stride, project))
            inputs = 4 * filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, classes))


NETS = {"resnet20": lambda: cifar(3), "resnet110": lambda: cifar(18), "resnet50": resnet50}


def stepper(name, batch_size, image_size, classes):
    """A function () that does one training step, channels last, as PyTorch's guides advise."""
    model = NETS[name]().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    images = torch.randint(0, 256, (batch_size, 3, image_size, image_size), dtype=torch.uint8)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch_size,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(images.float()), labels).backward()
        optimizer.step()

    return step
