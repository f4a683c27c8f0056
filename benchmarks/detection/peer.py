"""torchvision's Faster R-CNN as the paper's: ResNet-50 to conv4 shared, conv5 for each region."""

from benchmarks import harness
from benchmarks.detection import cases, torchvision_cpu


def network():
    """The module, batch normalisation frozen, all else to train, thresholds as ours."""
    torchvision = torchvision_cpu.load()
    from torch import nn
    from torchvision.models.detection import anchor_utils, faster_rcnn
    from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign

    net = torchvision.models.resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    tame(net)
    stem = net.conv1, net.bn1, net.relu, net.maxpool
    shared = nn.Sequential(*stem, net.layer1, net.layer2, net.layer3)
    shared.out_channels = 1024
    return faster_rcnn.FasterRCNN(
        shared,
        min_size=cases.HEIGHT,
        max_size=cases.WIDTH,
        rpn_anchor_generator=anchor_utils.AnchorGenerator(
            (tuple(map(int, cases.ANCHORS)),), (cases.RATIOS,)
        ),
        box_roi_pool=MultiScaleRoIAlign(["0"], cases.BINS, sampling_ratio=2),
        box_head=nn.Sequential(net.layer4, net.avgpool, nn.Flatten()),
        box_predictor=faster_rcnn.FastRCNNPredictor(2048, cases.CLASSES + 1),
        rpn_pre_nms_top_n_train=cases.TRAIN_BEFORE,
        rpn_post_nms_top_n_train=cases.TRAIN_AFTER,
        rpn_pre_nms_top_n_test=cases.BEFORE,
        rpn_post_nms_top_n_test=cases.REGIONS,
        box_batch_size_per_image=cases.REGIONS,
        box_score_thresh=cases.SCORE,
        box_nms_thresh=cases.NMS,
        box_detections_per_img=cases.DETECTIONS,
    )


def tame(net):
    """Each block's last normalisation at cases.GAMMA, as ours."""
    from torchvision.models.resnet import Bottleneck

    for module in net.modules():
        if isinstance(module, Bottleneck):
            module.bn3.weight.fill_(cases.GAMMA)


def both():
    """A contender: both figures, one network after the other."""
    import torch

    torch.set_num_threads(harness.CORES)
    return {**step(), **inference()}


def step():
    """A training step, eager, as torchvision's references have it."""
    import torch

    model = network().train()
    rate, momentum, decay = cases.SGD
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=momentum, weight_decay=decay)
    pixels, boxes, classes = cases.picture()
    picture = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    boxes = torch.from_numpy(boxes[:, [1, 0, 3, 2]].copy())  # x, y, x, y
    target = {"boxes": boxes, "labels": torch.from_numpy(classes.astype("int64") + 1)}

    def one():
        optimizer.zero_grad(set_to_none=True)
        loss = sum(model([picture], [target]).values())
        loss.backward()
        optimizer.step()
        return loss.item()

    return cases.least("step", one)


def inference():
    """A picture's detections."""
    import torch

    model = network().eval()
    picture = torch.from_numpy(cases.picture()[0]).permute(2, 0, 1) / 255
    with torch.inference_mode():
        return cases.least("picture", lambda: model([picture])[0]["scores"].sum().item())
