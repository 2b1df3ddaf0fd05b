"""How many outputs may be removed at once."""

import pytest

from pixmill.batch.config.max_delete import MaxDelete


@pytest.mark.parametrize(
    ("limit", "files", "of", "allowed"),
    [
        (None, 10, 10, True), (None, 11, 110, True), (None, 11, 109, False), (None, 0, 0, True), (None, 100, 1000, True),
        (None, 101, 1000, False), ("5", 5, 5, True), ("5", 6, 1000, False), ("0", 0, 9, True), ("0", 1, 9, False),
        ("50%", 5, 10, True), ("50%", 6, 10, False), ("0%", 1, 10, False), ("100%", 10, 10, True), ("2.5%", 25, 1000, True),
    ],
)  # fmt: skip
def test_a_tenth_or_ten_files_unless_a_limit_is_given(limit, files, of, allowed):
    parsed = MaxDelete() if limit is None else MaxDelete.from_builtin(limit)
    assert parsed.allows(files, of=of) is allowed


@pytest.mark.parametrize("text", ["5", "25%", "2.5%"])
def test_the_text_leads_back_to_the_same_limit(text):
    assert MaxDelete.from_builtin(text).to_builtin() == text


@pytest.mark.parametrize("value", [True, "", "x", "-1", "1.5", "101%", "%", None])
def test_all_else_is_refused(value):
    with pytest.raises(ValueError, match="a number of files"):
        MaxDelete.from_builtin(value)
