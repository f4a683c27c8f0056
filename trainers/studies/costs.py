"""What the paper's schedules cost: FLOPs from counted multiply-adds, GPU-hours by assumption."""

# One A100 trained ResNet-50 v1.5 (4.089e9 multiply-adds) at 909 images/s in TF32 with XLA: NVIDIA's
# DeepLearningExamples, TensorFlow 1, ResNet-50 v1.5, "Training performance". For the CIFAR nets,
# whose small convolutions leave most of a GPU idle, 1e12 is assumed.
GPU_FLOPS = {"imagenet": 909 * 6 * 4.089e9, "cifar": 1e12}
TRAINED = {"imagenet": 600_000 * 256, "cifar": 64_000 * 128}  # images seen, Sec. 3.4 and 4.2


def with_cost(row):
    """The row with FLOPs and GPU-hours of the paper's schedule, estimated from multiply-adds."""
    stem = "cifar" if row["image_size"] == 32 else "imagenet"
    flops = 6 * row["multiply_adds"] * TRAINED[stem]
    return {**row, "training_flops": flops, "gpu_hours": flops / GPU_FLOPS[stem] / 3600}
