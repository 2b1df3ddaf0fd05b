"""Enlarges every image with a network: a model that each worker loads once, and that gets several images in one call.

    pip install onnx onnxruntime
    python examples/inference.py PHOTOS OUTPUT

The model stands for one of yours. It is made here, so that there is nothing to download, and doubles the sides by cubic
interpolation. The same step works on the command line:

    pixmill run PHOTOS OUTPUT --step python:function=examples/inference.py:Enlarge,model=double.onnx
"""

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

import pixmill


class Enlarge(pixmill.Step):
    """Double the sides of an image by a model in a file."""

    version = "1"  # of the model: another one makes the outputs again
    memory = "200MB"
    batch_size = 8
    needs = ()  # no network and no folder to write in: its workers are confined

    model: str

    def open(self) -> None:
        """Load the model, once in each worker."""
        import onnxruntime  # noqa: PLC0415  # only workers need it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # there is a worker on every core
        self.session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def batch(self, images: Sequence[pixmill.Image]) -> list[pixmill.Image]:
        """Enlarge neighbours of the same shape in one call."""
        arrays = [rgb(image.to_numpy()) for image in images]
        results: list[np.ndarray[Any, Any]] = []
        for _, same in groupby(arrays, key=lambda array: array.shape):
            pixels = np.stack(list(same)).transpose(0, 3, 1, 2).astype(np.float32)
            (enlarged,) = self.session.run(None, {"pixels": pixels})
            results.extend(enlarged.round().clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
        return [pixmill.Image.from_numpy(array) for array in results]


def rgb(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ``pixels`` with three bands, without alpha."""
    return pixels[..., :3] if pixels.shape[-1] > 2 else np.repeat(pixels[..., :1], 3, axis=-1)  # noqa: PLR2004  # grey, perhaps alpha


def make_model(path: Path) -> None:
    """Write a model that doubles the sides of images in a batch, channel by channel."""
    import onnx  # noqa: PLC0415  # workers need not make it
    from onnx import helper as h  # noqa: PLC0415

    shape: list[str | int] = ["batch", 3, "height", "width"]
    resize = h.make_node(
        "Resize", ["pixels", "", "scales"], ["enlarged"], mode="cubic", coordinate_transformation_mode="half_pixel"
    )
    scales = h.make_tensor("scales", onnx.TensorProto.FLOAT, [4], [1.0, 1.0, 2.0, 2.0])
    ends = [h.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("pixels", "enlarged")]
    graph = h.make_graph([resize], "double", ends[:1], ends[1:], [scales])
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=9), str(path))


if __name__ == "__main__":
    make_model(Path("double.onnx"))
    report = pixmill.run(sys.argv[1], sys.argv[2], pixmill.Recipe(steps=[Enlarge(model="double.onnx")]))
    print(report.counts)
    sys.exit(1 if report.counts.failed else 0)
