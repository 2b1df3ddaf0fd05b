"""Names that depend on the content of images: their fields, and who gets which name."""

import pytest

from pixmill.batch.naming.late import LateNamer
from pixmill.batch.naming.reserved import collision_key
from pixmill.batch.naming.template import Template
from pixmill.core.errors import ConfigError
from pixmill.imaging.metadata.dates import dated

VALUES = {"width": "64", "height": "48", "date": "2024-05-07T09:08:03"}


def choose(template, source=b"a/p.png", *, values=VALUES, extensions=("jpg",), renditions=("",), taken=(), **options):
    namer = LateNamer(Template.from_builtin(template), renditions, refuse=options.pop("refuse", False))
    keys = set(map(collision_key, taken))
    each = [values] * len(extensions)
    return namer.choose(source, each, extensions, is_free=lambda name: collision_key(name) not in keys, **options)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("", "2024-05-07"),
        ("%Y/%m", "2024/05"),
        ("%y%j", "24128"),
        ("%b %d", "May 07"),
        ("%H:%M:%S", "09:08:03"),
        ("100%% %Y", "100% 2024"),
    ],
)
def test_a_date_is_written_in_every_format(form, text):
    assert dated(VALUES["date"], form) == text


def test_an_image_without_any_date_is_undated():
    assert choose("{date:%Y/%m}/{stem}.{ext}", values={"date": ""}) == ((b"undated/p.jpg",), 0)


@pytest.mark.parametrize(
    "text",
    [
        "{date:%Q}/{stem}.{ext}",
        "{date:}/{stem}.{ext}",
        "{date:Y/m}/{stem}.{ext}",
        "{date:100%%}/{stem}.{ext}",
        "{date:%Y%}/{stem}.{ext}",
        "{width:3}/{stem}.{ext}",
        "{date:..}/{stem}.{ext}",
        "{date:../..}/{stem}.{ext}",
        ".{date:./%Y}/{stem}.{ext}",
        "{date:/etc}/{stem}.{ext}",
        "{date:%Y}.{ext}",
        "{Date}/{stem}.{ext}",
        "{date:{stem}}.{ext}",
        "{counter:x}.{ext}",
        "{counter:}.{ext}",
        "{camera:3}/{stem}.{ext}",
        "{stem|a}.{ext}",
    ],
)
def test_a_template_that_means_nothing_or_leads_out_is_refused(text):
    with pytest.raises(ValueError, match=r"a name|a field|a path|braces|a \{(date|counter)"):
        Template.from_builtin(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{date:%Y/%m}/{stem}.{ext}", b"2024/05/p.jpg"),
        ("{date:%Y/%m}-{stem}.{ext}", b"2024/05-p.jpg"),
        ("{width}x{height}/{stem}.{ext}", b"64x48/p.jpg"),
        ("{stem}-{width}x{height}.{ext}", b"a/p-64x48.jpg"),
        ("{date}-{stem}.{ext}", b"a/2024-05-07-p.jpg"),
        ("{dir}/{date:%Y}/{stem}.{ext}", b"a/2024/p.jpg"),
    ],
)
def test_only_a_template_that_makes_folders_of_late_fields_leaves_the_folder_of_the_source(text, name):
    assert choose(text) == ((name,), 0)


def test_a_name_that_is_taken_is_resolved_like_any_other():
    template, taken = "{date:%Y}/{stem}.{ext}", [b"2024/P.jpg"]
    assert choose(template, taken=taken) == ((b"2024/p.png.jpg",), 1)
    assert choose(template, taken=[*taken, b"2024/p.png.jpg"]) == ((b"2024/p.png~2.jpg",), 2)


def test_the_number_of_the_name_that_an_image_had_comes_first():
    assert choose("{date:%Y}/{stem}.{ext}", recorded=3) == ((b"2024/p.png~3.jpg",), 3)
    assert choose("{date:%Y}/{stem}.{ext}", recorded=3, taken=[b"2024/p.png~3.jpg"]) == ((b"2024/p.jpg",), 0)


def test_the_renditions_of_an_image_have_one_number_and_distinct_names():
    template = "{date:%Y}/{stem}-{rendition}.{ext}"
    options = {"extensions": ("jpg", "webp"), "renditions": ("l", "s")}
    assert choose(template, **options) == ((b"2024/p-l.jpg", b"2024/p-s.webp"), 0)
    assert choose(template, **options, taken=[b"2024/p-s.webp"]) == ((b"2024/p.png-l.jpg", b"2024/p.png-s.webp"), 1)
    assert choose("{date:%Y}/{stem}.{ext}", extensions=("jpg", "jpg"), renditions=("", "")) == ((b"2024/p.jpg", b"2024/p~2.jpg"), 0)


def test_a_collision_can_be_refused():
    with pytest.raises(ConfigError, match=r"2024/p\.jpg of a/p\.png is already that of another image"):
        choose("{date:%Y}/{stem}.{ext}", taken=[b"2024/p.jpg"], refuse=True)


def test_nothing_is_named_before_it_is_read():
    namer = LateNamer(Template("{date}/{stem}.{ext}"), [""], refuse=False)
    assert namer.names([b"a", b"b"]) == {b"a": (), b"b": ()}
