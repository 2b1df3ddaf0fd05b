"""The pictures, before and after, with a slider between them."""

from base64 import b64encode

from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, section
from pixmill.batch.report.previews.messages import Preview
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, plural


def previews_section(dossier: ReportData) -> Section | None:
    """Return the sample."""
    sample = dossier.pictures.sample
    if not sample:
        return None
    about = tag("p", "A fair sample. Move the slider, or use the arrow keys: the source is on the left, the result on the right.")
    return section("Pictures", about, tag("div", map(_whole, sample), class_="album"), identity="pictures")


def similarity(dossier: ReportData) -> Section | None:
    """Return how alike results and sources look, and those that look least alike."""
    pictures = dossier.pictures
    if not pictures.checked:
        return None
    lowest, middle = pictures.checked[0], pictures.checked[len(pictures.checked) // 2]
    about = tag(
        "p",
        f"SSIM of {plural(len(pictures.checked), 'image')}, measured on the result against the same picture before it was encoded: "
        f"lowest {lowest:.4f}, median {middle:.4f}. 1 is no difference.",
    )
    worst = tag("div", map(_whole, pictures.worst), class_="album")
    return section("Least alike", about, worst, identity="similarity")


def compared(shown: Preview, *, before: str, after: str, identity: str | None = None) -> Html:
    """Return both pictures of an image, one over the other; ``before`` and ``after`` are where a browser finds them."""
    picture = shown.picture
    name = safe_text(picture.key)
    alike = "" if shown.similarity is None else f", SSIM {shown.similarity:.4f}"
    facts = f"{byte_count(picture.bytes_in)} to {byte_count(picture.bytes_out)}, {picture.width} x {picture.height}{alike}"
    slider = tag("input", type="range", min=0, max=100, value=50, aria_label=f"Before or after: {name}")
    frame = tag(
        "div",
        tag("img", src=after, alt=f"{name}, after", class_="after"),
        tag("img", src=before, alt=f"{name}, before", class_="before"),
        tag("span", class_="edge", aria_hidden="true"),
        slider,
        class_="slider",
    )
    return tag("figure", frame, tag("figcaption", tag("strong", name), tag("span", facts)), id=identity)


def _whole(shown: Preview) -> Html:
    return compared(shown, before=_data(shown.before), after=_data(shown.after))


def _data(webp: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(webp).decode()}"
