"""What ``--set`` states is what exiftool reads, in every format and beside every policy, and nothing contradicts it."""

import io

import pytest
from PIL import Image

import pixmill
from pixmill.core.errors import ConfigError
from pixmill.imaging.input import Input
from pixmill.imaging.process import process
from pixmill.imaging.recipe import Recipe
from support.exif_oracle import needs_exiftool, view, warnings, write

OUTPUTS = {
    "jpeg": "jpg", "png": "png", "webp": "webp", "tiff": "tif", "avif": "avif", "heif": "heic", "jxl": "jxl", "gif": "gif",
}  # fmt: skip
WITH_EXIF = set(OUTPUTS) - {"gif"}
WITH_IPTC = {"jpeg", "png", "tiff"}
EVERYWHERE = ("-a", "-charset", "iptc=utf8")
SETTINGS = {
    "copyright": "\u00a9 {date:%Y} {artist|nobody}, all <rights> & more",
    "artist": "\u5199\u771f\u5bb6 of the {camera}",
    "description": "{width} x {height}",
    "dpi": 300,
}


@pytest.fixture
def source(tmp_path):
    """Return a JPEG whose author and copyright are in EXIF, IPTC and XMP, with a maker note and a resolution."""
    path = tmp_path / "source.jpg"
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "JPEG", dpi=(72, 72))
    path.write_bytes(file.getvalue())
    return write(
        path, "-EXIF:Artist=Ada", "-EXIF:Copyright=old", "-EXIF:Model=EOS 5D", "-EXIF:DateTimeOriginal=2023:05:17 10:11:12",
        "-EXIF:XPAuthor=Ada", "-IPTC:By-line=Ada", "-IPTC:Keywords=Zo\u00eb", "-XMP-dc:Creator=Ada", "-XMP-tiff:Artist=Ada",
        "-XMP-dc:Rights=old", "-XMP-xmp:Label=red", "-XMP-tiff:XResolution=72",
    )  # fmt: skip


def made(path, output, **options):
    recipe = Recipe.from_builtins({"renditions": [{"encode": output}], **options})
    return process(Input(path.read_bytes()), recipe)


@needs_exiftool
def test_settings_are_in_every_place_of_every_format_and_nothing_contradicts_them(source, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    for output, extension in OUTPUTS.items():
        for policy in ("strip", "copyright", "keep"):
            data = made(source, output, metadata=policy, set=SETTINGS).outputs[0].data
            (folder / f"{output}-{policy}.{extension}").write_bytes(data)
    notice, author, size = "\u00a9 2023 Ada, all <rights> & more", "\u5199\u771f\u5bb6 of the EOS 5D", "64 x 48"
    found = view(*folder.iterdir(), arguments=EVERYWHERE)
    assert len(found) == 3 * len(OUTPUTS)
    for name, tags in found.items():
        output = name.partition("-")[0]
        texts = {tag: value for tag, value in tags.items() if isinstance(value, str | list)}
        assert not [tag for tag, value in texts.items() if "Ada" in value and "rights" not in value], name
        assert "old" not in texts.values()
        assert (tags["XMP-dc:Rights"], tags["XMP-dc:Description"]) == (notice, size), name
        assert tags["XMP-dc:Creator"] in (author, [author]), name
        if output in WITH_EXIF:
            assert (tags["IFD0:Copyright"], tags["IFD0:Artist"]) == (notice, author), name
            assert tags["IFD0:ImageDescription"] == size
        if output in WITH_IPTC:
            assert tags["IPTC:CopyrightNotice"] == notice
            assert author.startswith(tags["IPTC:By-line"])
            assert tags.get("IPTC:Keywords") == ("Zo\u00eb" if "keep" in name else None)
        resolutions = [value for tag, value in tags.items() if tag.endswith(":XResolution")]
        assert set(resolutions) == ({300} if output not in ("png", "gif") else set()), name
        assert tags.get("PNG-pHYs:PixelsPerUnitX") == (11811 if output == "png" else None)
    found_wrong = {text for texts in warnings(*folder.iterdir()).values() for text in texts}
    assert not {text for text in found_wrong if "Compression" not in text}  # which a TIFF has with and without metadata


@needs_exiftool
def test_what_is_set_if_missing_leaves_what_is_there(source, tmp_path):
    wanted = {"artist": "Bob", "title": "A title", "dpi": "300"}
    for policy, author in (("keep", "Ada"), ("strip", "Bob")):
        path = tmp_path / f"{policy}.jpg"
        path.write_bytes(made(source, "jpeg", metadata=policy, set_if_missing=wanted, steps=[]).outputs[0].data)
        (tags,) = view(path).values()
        assert (tags["IFD0:Artist"], tags["IPTC:ObjectName"]) == (author, "A title")
        assert tags["JFIF:XResolution"] == (72 if policy == "keep" else 300)


@needs_exiftool
def test_a_text_of_which_nothing_is_left_states_nothing(tmp_path):
    path = tmp_path / "plain.png"
    Image.new("RGB", (8, 8)).save(path)
    path.write_bytes(made(path, "png", set={"artist": "{artist}", "title": "{camera} "}).outputs[0].data)
    (tags,) = view(path).values()
    assert not [tag for tag in tags if tag.endswith((":Artist", ":Author", ":Title"))]


def test_a_format_without_a_place_is_noted(source):
    assert "metadata-dropped" in made(source, "bmp", set=["artist=Bob"]).notes
    assert "metadata-dropped" not in made(source, "bmp", set=["dpi=300"], metadata="strip").notes


def test_settings_are_texts_or_a_table_and_change_the_recipe():
    plain, text, table = Recipe(), Recipe(set=["dpi=300", "artist=a, b"]), Recipe(set={"dpi": 300, "artist": "a, b"})
    assert text == table == Recipe.from_toml('set = {dpi = 300, artist = "a, b"}')
    assert text == Recipe.from_builtins(text.to_builtins())
    assert len({plain.fingerprint(), text.fingerprint(), Recipe(set_if_missing=["dpi=300"]).fingerprint()}) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("artist", "expected NAME=TEXT"),
        ("artist=", "expected NAME=TEXT"),
        ("author=Bob", "expected one of artist, copyright,"),
        ("dpi=fine", "dpi=300"),
        ("dpi=0", "dpi=300"),
        ("artist={stem}", "a field among {width}, {height}, {date}"),
        ("artist={artist", "braces only around the name of a variable"),
        ("copyright={date:%Q}", "a {date:FORMAT} that is made of text"),
    ],
)
def test_a_setting_that_means_nothing_is_refused_in_words(text, sentence):
    with pytest.raises(ConfigError) as refused:
        pixmill.process(b"", set=[text])
    assert sentence in str(refused.value)
