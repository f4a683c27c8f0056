"""Recipes of detectors: frozen data, the paper's (Sec. 4.3, App. A) and one for scenes of digits.

What the paper leaves open is as in Faster R-CNN's released code [32], else it says from where.
"""

import dataclasses

from trainers.plan.boxes import BoxRecipe
from trainers.plan.course import setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectionRecipe(BoxRecipe):
    """How to train a detector: RPN and regions together, in one step."""

    shorter_px: int = setting("shorter side of the network's input, px", 600)
    anchor_sizes: tuple[float, ...] = setting(
        "sides of square anchors, px of the network's input", (128.0, 256.0, 512.0)
    )
    pooling: str = setting("regions by RoIAlign or by Caffe's RoI max pooling", "align")
    bins: int = setting("bins a side that a region is pooled to; the last stage halves them", 14)
    rpn_filters: int = setting("channels of the RPN's 3x3 convolution", 512)
    context: bool = setting("join the whole picture's feature to each region's (App. B)", False)
    rpn_anchors: int = setting(
        "anchors of a picture that the RPN learns from, half at objects", 256
    )
    train_proposals_before: int = setting("training: likeliest anchors before their NMS", 12_000)
    train_proposals: int = setting("training: proposals after it", 2000)
    regions: int = setting("proposals of a picture that the head learns from", 128)
    foreground: float = setting("share of them at objects, at most", 0.25)
    background_iou: float = setting("least IoU of the others with an object", 0.0)
    proposals_before: int = setting("likeliest anchors before their NMS", 6000)
    proposals: int = setting("proposals after it", 300)
    proposal_iou: float = setting("NMS of proposals: the largest IoU", 0.7)
    least_score: float = setting("score that a detection must exceed", 0.05)
    nms_iou: float = setting("NMS of detections of one class: the largest IoU", 0.3)
    detections: int = setting("of a picture, at most", 100)

    def __post_init__(self):
        super().__post_init__()
        if self.bins % 2:
            raise ValueError(f"--bins={self.bins}: expected an even number, which halves")


_COCO = DetectionRecipe(
    name="coco",
    source="App. A: 8 pictures a step, 240k steps at 0.001 and 80k at 0.0001; anchors of four "
    "sizes; the batch of the Fast R-CNN step is 16 there, for RPN and regions learn apart",
    data="coco",
    model="resnet101",
    batch_size=8,
    steps=320_000,
    round_steps=10_000,
    learning_rate=1e-3,
    drops=(0.75,),
    anchor_sizes=(64.0, 128.0, 256.0, 512.0),
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        # Measured: reports/detection.md.
        DetectionRecipe(
            name="scenes",
            source="this project's: scenes of digits on photographs, from scratch, in minutes",
            data="scenes",
            model="resnet20",
            batch_size=8,
            steps=1500,
            round_steps=250,
            learning_rate=0.04,
            schedule="cosine",
            warmup="linear",
            warmup_steps=100,
            warmup_learning_rate=1e-3,
            shorter_px=96,
            longer_px=96,
            mirror=False,
            anchor_sizes=(12.0, 20.0, 32.0),
            bins=8,
            rpn_filters=64,
            rpn_anchors=128,
            train_proposals_before=1000,
            train_proposals=200,
            regions=32,
            proposals_before=1000,
            proposals=100,
        ),
        # [32]: 0.001, a tenth after three quarters, of steps of one picture; decay as released.
        DetectionRecipe(
            name="voc",
            source="App. A, which follows [32]: 0.001, a tenth of it in the last quarter; its "
            "steps, of 8 pictures for 1, at 8 times the rate",
            data="voc",
            model="resnet101",
            batch_size=8,
            steps=10_000,
            round_steps=1000,
            learning_rate=8e-3,
            drops=(0.75,),
            warmup="constant",
            warmup_steps=500,
            warmup_learning_rate=1e-3,
            weight_decay=5e-4,
            background_iou=0.1,
        ),
        _COCO,
    )
}
