"""The ONNX file as its users run it: onnxruntime and OpenVINO; and OpenVINO on the SavedModel."""

import export_networks
import numpy as np
import onnx
import pytest

from export import formats, images
from export.formats import onnx_names

ROUNDING = 5e-6  # of the largest logit; 4e-7 measured


@pytest.fixture(scope="module")
def pixels():
    return images.of_run(export_networks.digits_classifier(), "validation", 40).pixels


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("onnx")
    evidence = images.Evidence(images.of_run(export_networks.digits_classifier(), "validation", 2))
    for name in ("onnx", "saved_model"):
        formats.find(name).write(export_networks.digits_classifier(), directory, evidence)
    return directory


def check(logits, probabilities, pixels):
    expected = np.array(export_networks.trained_on_digits()(pixels))
    assert np.abs(logits - expected).max() <= ROUNDING * np.abs(expected).max()
    odds = np.exp(expected - expected.max(axis=1, keepdims=True))
    np.testing.assert_allclose(probabilities, odds / odds.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("batch_size", [1, 40])
def test_onnxruntime_gets_the_networks_answers(written, pixels, batch_size):
    import onnxruntime

    session = onnxruntime.InferenceSession(written / "model.onnx")
    batch = pixels[:batch_size]
    check(*session.run(["logits", "probabilities"], {"images": batch}), batch)


@pytest.mark.parametrize("name", ["model.onnx", "."])
def test_openvino_gets_the_networks_answers(written, pixels, name):
    """From both formats; asked not to compute in bfloat16, its default where the processor can."""
    import openvino

    core = openvino.Core()
    model = core.compile_model(
        core.read_model(written / name), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    answer = model({"images": pixels})
    check(answer["logits"], answer["probabilities"], pixels)


def test_opset_and_labels_are_stated(written):
    model = onnx.load(written / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert [(x.domain, x.version) for x in model.opset_import if not x.domain] == [("", 18)]
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert properties["labels"].split("\n") == list(export_networks.NAMES)
    assert not any("__" in node.name for node in model.graph.node)


def test_settled_names_depend_on_the_network_alone():
    """The same net twice: constants shared and numbered one way, then not shared and another."""
    from onnx import TensorProto, helper

    def net(names, order):
        one, two, first, second = names
        nodes = [
            helper.make_node("Add", ["x", one], ["a"], name=f"PartitionedCall/add__{first}"),
            helper.make_node("Add", ["a", two], ["y"], name=f"PartitionedCall/add__{second}"),
        ]
        constants = [
            helper.make_tensor(name, TensorProto.FLOAT, (1,), [1.0]) for name in sorted({one, two})
        ]
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ("n",)) for n in "xy")
        return helper.make_model(helper.make_graph(nodes, "net", [x], [y], constants[::order]))

    models = [net(("c__1", "c__1", 4, 7), 1), net(("k__9", "c__3", 8, 2), -1)]
    for model in models:
        onnx_names.settle(model)
        onnx.checker.check_model(model, full_check=True)
    assert models[0].SerializeToString(deterministic=True) == models[1].SerializeToString(
        deterministic=True
    )


def test_the_batch_has_one_name(written):
    """onnxruntime's own tool fixes it by that name, everywhere."""
    from onnxruntime.tools import onnx_model_utils

    model = onnx.load(written / "model.onnx")
    onnx_model_utils.make_dim_param_fixed(model.graph, "batch", 4)
    for value in (*model.graph.input, *model.graph.output):
        sizes = value.type.tensor_type.shape.dim
        assert [x.WhichOneof("value") for x in sizes] == ["dim_value"] * len(sizes)
        assert sizes[0].dim_value == 4
