import pytest

from pixmill.imaging.geometry.ratio import Ratio


@pytest.mark.parametrize(
    ("text", "value", "canonical"), [("16:9", 16 / 9, "16:9"), ("3/2", 1.5, "3:2"), ("1.5", 1.5, "1.5:1"), (2, 2.0, "2:1")]
)
def test_proportions_are_read_as_people_write_them(text, value, canonical):
    ratio = Ratio.from_builtin(text)
    assert float(ratio) == value
    assert str(ratio) == canonical
    assert Ratio.from_builtin(canonical) == ratio


@pytest.mark.parametrize("text", ["", "16:", "0:1", "1:0", "-1", "wide", True, None])
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(ValueError, match="an aspect ratio such as 16:9"):
        Ratio.from_builtin(text)
