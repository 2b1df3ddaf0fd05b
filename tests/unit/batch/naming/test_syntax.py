"""Which templates can name outputs, and what is said about the others."""

import re

import pytest

from pixmill.batch.naming.syntax import checked
from pixmill.batch.naming.template import Template

BELOW = "a path below the destination, which does not begin with / or ~/"
NO_DOTS = "a path below the destination, without '.' and '..'"
APART = "a name with {stem}, {name}, {hash} or {counter}, which tells images apart"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/{stem}.{ext}", BELOW),
        ("//{stem}.{ext}", BELOW),
        ("~/{stem}.{ext}", BELOW),
        ("../{stem}.{ext}", NO_DOTS),
        ("a/../{stem}.{ext}", NO_DOTS),
        ("{stem}/..", NO_DOTS),
        ("{date:../%Y}/{stem}", NO_DOTS),
        ("{stem}/.", NO_DOTS),
        ("{stem}.{ext}/", "the path of a file, which does not end in a slash"),
        ("a\\{stem}.{ext}", "folders separated by slashes, not backslashes"),
        ("a\t{stem}.{ext}", "a name without control characters"),
        ("{stem}\x00.{ext}", "a name without control characters"),
        ("{stem}\n", "a name without control characters"),
        ("{stem", "braces only around the name of a field"),
        ("{stem}}", "braces only around the name of a field"),
        ("{nope}.jpg", "a field among {dir}, {parent}, {stem}, "),
        ("{Stem}.{ext}", "received {Stem}; did you mean '{stem}'?"),
        ("{stem:%Y}", "a field among {dir}, "),
        ("{date:%Q}-{stem}", "a {date:FORMAT} that is made of text"),
        ("fixed.jpg", APART),
        ("", APART),
        ("./", APART),
        (".pixmill/{stem}.{ext}", "a folder other than .pixmill"),
        ("a/.PixMill /{stem}.{ext}", "a folder other than .pixmill"),
        ("x" * 250 + "{stem}.{ext}" + "y" * 10, "names of at most 255 bytes"),
        ("\u00e9" * 130 + "/{stem}.{ext}", "names of at most 255 bytes"),
    ],
)
def test_a_template_that_could_not_name_files_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        Template.from_builtin(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("./{stem}.{ext}", "{stem}.{ext}"),
        (".//./{stem}.{ext}", "{stem}.{ext}"),
        ("a//b/./{stem}.{ext}", "a/b/{stem}.{ext}"),
        ("a./{stem}..{ext}", "a./{stem}..{ext}"),
        (".{stem}.{ext}", ".{stem}.{ext}"),
        ("...{stem}", "...{stem}"),
        ("~{stem}", "~{stem}"),
        ("{date:%Y/%m}/{stem}", "{date:%Y/%m}/{stem}"),
        ("{stem} \u00e9.{ext}", "{stem} \u00e9.{ext}"),
    ],
)
def test_empty_parts_of_a_path_are_left_out(text, meaning):
    assert checked(text) == meaning
