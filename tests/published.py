"""Numbers from outside: what the paper and the released weights say, with their sources."""

# Trainable parameters and multiply-adds. Parameters of the option B nets are torchvision's
# published counts; the others, and every multiply-add, are arithmetic over Table 1 and Sec. 4.2
# (conv: k*k*C_in*C_out weights, two BN vectors; fc with bias), agreeing with the digits printed
# there. (name, shortcut, stride): (parameters, multiply-adds in 1e9, printed to 1e-3).
IMAGENET = {
    ("plain18", None, "1x1"): (11_515_688, 1.795),
    ("plain34", None, "1x1"): (21_623_848, 3.644),
    ("plain50", None, "1x1"): (22_780_456, 3.498),
    ("resnet18", "A", "1x1"): (11_515_688, 1.795),
    ("resnet18", "B", "1x1"): (11_689_512, 1.814),
    ("resnet18", "C", "1x1"): (12_043_816, 1.878),
    ("resnet34", "A", "1x1"): (21_623_848, 3.644),
    ("resnet34", "B", "1x1"): (21_797_672, 3.664),
    ("resnet34", "C", "1x1"): (22_716_840, 3.831),
    ("resnet50", "B", "1x1"): (25_557_032, 3.858),
    ("resnet50", "B", "3x3"): (25_557_032, 4.089),
    ("resnet50", "C", "1x1"): (40_128_552, 6.324),
    ("resnet101", "B", "1x1"): (44_549_160, 7.570),
    ("resnet101", "B", "3x3"): (44_549_160, 7.801),
    ("resnet101", "C", "1x1"): (76_981_288, 13.530),
    ("resnet152", "B", "1x1"): (60_192_808, 11.282),
    ("resnet152", "B", "3x3"): (60_192_808, 11.514),
    ("resnet152", "C", "1x1"): (107_335_720, 20.736),
}

# Keras' count_params minus the trainable ones: two moving statistics a BN channel.
MOVING_STATISTICS = {"resnet50": 53_120, "resnet101": 105_344, "resnet152": 151_424}

# Sec. 4.2 by arithmetic; Table 6 prints them as 0.27M ... 19.4M. Depth: (parameters, 1e6 MAC).
CIFAR = {
    20: (269_722, 40.6),
    32: (464_154, 68.9),
    44: (658_586, 97.2),
    56: (853_018, 125.5),
    110: (1_727_962, 252.9),
    1202: (19_421_274, 2829.2),
}

# Fig. 3 and Sec. 3.3: option B projects where the dimension grows, C in every block.
PROJECTIONS = {
    ("resnet18", "A"): 0,
    ("resnet18", "B"): 3,
    ("resnet18", "C"): 8,
    ("resnet34", "B"): 3,
    ("resnet34", "C"): 16,
    ("resnet50", "B"): 4,
    ("resnet50", "C"): 16,
    ("resnet101", "C"): 33,
    ("resnet152", "C"): 50,
    ("resnet56", "A"): 0,
    ("resnet56", "C"): 27,
}
