import pytest

from pixmill.batch.report.html.failures import meaning
from pixmill.batch.report.html.markup import MAX_TEXT_LENGTH, Html, raw, safe_text, tag


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "'"])
def test_text_never_becomes_markup_neither_as_a_child_nor_as_an_attribute(text):
    made = tag("p", text, [text, (text,)], title=text)
    inside = made.removeprefix("<p").removesuffix("</p>")
    assert "<" not in inside
    assert inside.count('"') == 2
    assert inside.count(">") == 1


def test_markup_is_nested_as_it_is():
    assert tag("p", tag("b", "x"), None, 3, class_="y") == '<p class="y"><b>x</b>3</p>'


def test_attributes_are_bare_or_left_out():
    assert tag("input", disabled=True, checked=False, aria_label=None, data_x=0) == '<input disabled data-x="0">'


def test_what_is_joined_to_markup_is_plain_text_again():
    assert not isinstance(raw("<b>") + "<i>", Html)
    assert tag("p", raw("<b>") + "<i>") == "<p>&lt;b&gt;&lt;i&gt;</p>"


def test_only_text_numbers_and_markup_become_a_page():
    with pytest.raises(TypeError, match="received object"):
        tag("p", object())


@pytest.mark.parametrize("name", [b"a\x1b[31mb\nc\xff", "a\u202eb\x00"])
def test_a_name_is_shown_on_one_line_and_does_nothing(name):
    assert safe_text(name).isprintable()
    assert "\\" in safe_text(name)


def test_a_long_name_is_shortened_in_its_middle():
    shown = safe_text("a" * 5000 + ".jpg")
    assert len(shown) <= MAX_TEXT_LENGTH + 5
    assert shown.endswith(".jpg")


@pytest.mark.parametrize(
    ("code", "word"), [("timeout", "deadline"), ("limit-pixels", "--max-pixels"), ("not-an-image", "not an image")]
)
def test_every_code_is_explained_with_the_words_of_its_declaration(code, word):
    assert word in meaning(code)


def test_a_code_of_a_foreign_handler_has_no_meaning_here():
    assert meaning("no-such-code") == ""
