import PIL.Image
import pytest

from pixmill.imaging.operation import Operation
from pixmill.testing.operations import OperationSuite, example_of

EXAMPLES = [example_of(operation) for _, operation in Operation.registry]
FURTHER = [
    "blur:sigma=0.4",
    "border:width=3,color=#ff000080",
    "brightness:factor=1",
    "contrast:factor=0",
    "crop:aspect=1:1",
    "crop:width=20,height=10,gravity=entropy",
    "crop:left=0,top=0,width=5",
    "flatten",
    "flatten:background=red",
    "flip",
    "gamma:gamma=0.4",
    "pad:border=3",
    "pad:left=5,background=red",
    "profile:name=cmyk",
    "profile:name=srgb",
    "resize:height=9,fit=fill",
    "resize:percent=150",
    "resize:width=20,height=20,fit=contain",
    "resize:width=20,height=20,fit=contain,background=red",
    "resize:width=20,height=20,fit=cover,gravity=attention",
    "resize:width=20,height=20,fit=cover,gravity=north",
    "resize:width=20,height=20,kernel=nearest",
    "resize:width=20,linear=true",
    "resize:width=60,height=60,enlarge=true,fit=cover",
    "rotate:angle=-33",
    "rotate:angle=180",
    "rotate:angle=33,background=red",
    "saturation:factor=0",
    "sharpen",
    "text:text=(c) {width},gravity=centre,size=9,margin=2,color=red",
    "text:text=2024,margin=0,size=200,opacity=0.4",
    "trim",
    "trim:background=white,threshold=40",
    "watermark:image=logo.png,tile=true,margin=3",
    "watermark:image=logo.png,scale=0.5,position=centre",
]
STEPS = """
def posterize(image):
    return image.map_colour(lambda colour: (colour // step(image) * step(image)).cast(colour.format))

def step(image):
    return (image.max_value + 1) // 8
"""


class TestOperations(OperationSuite):
    @pytest.fixture(params=[*EXAMPLES, *FURTHER])
    def step(self, request, tmp_path, monkeypatch):
        mark = PIL.Image.new("RGBA", (9, 5), (255, 80, 0, 200))
        mark.paste((0, 0, 0, 0), (3, 1, 5, 3))
        mark.save(tmp_path / "logo.png")
        (tmp_path / "steps.py").write_text(STEPS)
        monkeypatch.chdir(tmp_path)
        return Operation.from_builtins(request.param)
