"""The CIFAR network that github.com/akamaster/pytorch_resnet_cifar10 trained, in PyTorch.

Sec. 4.2 of the paper: 3n blocks of 16, 32 and 64 filters; shortcut A: every second pixel, zeros for
the new channels on both sides.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    def __init__(self, before, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, filters, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.stride, self.zeros = stride, (filters - before) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.stride, :: self.stride]
        return torch.relu(y + functional.pad(x, (0, 0, 0, 0, self.zeros, self.zeros)))


class Network(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(n)))
        self.layer2 = nn.Sequential(*(Block(32 if i else 16, 32, 1 + (not i)) for i in range(n)))
        self.layer3 = nn.Sequential(*(Block(64 if i else 32, 64, 1 + (not i)) for i in range(n)))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean(dim=(2, 3)))


def logits(path, layers, pixels):
    """What the file's network says: (N, 32, 32, 3) of 0-255 -> (N, 10) numpy."""
    stored = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    network = Network((layers - 2) // 6)
    network.load_state_dict({name.removeprefix("module."): x for name, x in stored.items()})
    network.eval()
    images = (pixels / 255 - np.array(MEAN)) / np.array(STD)
    with torch.no_grad():
        batches = torch.from_numpy(np.float32(images.transpose(0, 3, 1, 2))).split(100)
        return torch.cat([network(batch) for batch in batches]).numpy()
