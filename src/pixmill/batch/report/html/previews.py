"""Pictures before and after, with a slider between them; a click enlarges them."""

from base64 import b64encode

from pixmill.batch.report.html.markup import Html, safe_text, tag
from pixmill.batch.report.html.tables import Section, section
from pixmill.batch.report.previews.messages import Preview
from pixmill.batch.report.report_data import ReportData
from pixmill.core.humanize import byte_count, plural

#: how the pictures are used, on both pages
HOW_TO_COMPARE = (
    "Move the slider to compare source and output; click on a picture to enlarge it, and again to see it pixel by pixel."
)


def previews_section(data: ReportData) -> Section | None:
    """Return the previews of the sample."""
    sample = data.previews.sample
    if not sample:
        return None
    about = tag(
        "p",
        f"A random sample. {HOW_TO_COMPARE}",
    )
    return section("Pictures", about, tag("div", map(_embedded, sample), class_="previews"), identity="pictures")


def similarity(data: ReportData) -> Section | None:
    """Return the similarity of outputs and sources, and the previews of the least similar images."""
    previews = data.previews
    if not previews.checked:
        return None
    lowest, middle = previews.checked[0], previews.checked[len(previews.checked) // 2]
    about = tag(
        "p",
        f"SSIM of {plural(len(previews.checked), 'image')}, comparing each output with the same image before encoding: "
        f"lowest {lowest:.4f}, median {middle:.4f}. 1 means no difference.",
    )
    worst = tag("div", map(_embedded, previews.worst), class_="previews")
    return section("Lowest similarity", about, worst, identity="similarity")


def before_after(preview: Preview, *, before: str, after: str, identity: str | None = None) -> Html:
    """Return an image before and after, one on top of the other; ``before`` and ``after`` are their URLs."""
    image = preview.image
    name = safe_text(image.key)
    alike = "" if preview.similarity is None else f", SSIM {preview.similarity:.4f}"
    facts = f"{byte_count(image.bytes_in)} to {byte_count(image.bytes_out)}, {image.width} x {image.height}{alike}"
    slider = tag("input", type="range", min=0, max=100, value=50, aria_label=f"Compare source and output: {name}")
    frame = tag(
        "div",
        tag("img", src=after, alt=f"{name}, output", class_="after"),
        tag("img", src=before, alt=f"{name}, source", class_="before"),
        tag("span", class_="edge", aria_hidden="true"),
        tag("button", type="button", class_="enlarge", aria_label=f"Enlarge {name}"),
        tag("span", "source", class_="label", aria_hidden="true"),
        tag("span", "output", class_="label", aria_hidden="true"),
        slider,
        class_="slider",
    )
    return tag("figure", frame, tag("figcaption", tag("strong", name), tag("span", facts)), id=identity)


def enlarged() -> Html:
    """Return the window in which the script shows a picture as large as possible, or pixel by pixel."""
    close = tag("button", "Close", type="button", class_="close")
    return tag(
        "dialog", close, tag("div", tabindex="0", role="group", aria_label="Picture"), aria_label="Enlarged picture", id="enlarged"
    )


def _embedded(preview: Preview) -> Html:
    return before_after(preview, before=_data(preview.before), after=_data(preview.after))


def _data(webp: bytes) -> str:
    return f"data:image/webp;base64,{b64encode(webp).decode()}"
