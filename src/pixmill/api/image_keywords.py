"""The keywords of ``process``, for type checkers and ``help``. Written by docs/signatures.py."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from pixmill.imaging.codec import CodecLike
from pixmill.imaging.colour.value import Colour
from pixmill.imaging.formats import AllowLike
from pixmill.imaging.operation import StepLike


class ImageOptions(TypedDict, total=False):
    """How to process an image: keywords of ``process`` and ``run``.

    preset: start from this recipe instead of the default one; other options change it; see pixmill explain presets
    size: box to fit into, such as 800x600, 800x or x600; a percentage, such as 50%; a number of pixels, such as 2MP; or keep,
        same as --no-size (default: 1920x1920, unless a step resizes, crops, pads or trims)
    sizes: widths to produce from each image, such as 320,640,1280
    fit: how to fit the image into the box
    step: additional step, NAME:key=value,... (repeatable, in order)
    format: output format or its extension: jpeg, png, webp, avif, ..., or keep; settings follow a colon
    formats: formats to produce from each image, such as webp,jpeg
    quality: quality of lossy formats, on the scale of each format
    effort: time to spend on making the file smaller
    max_size: maximum size of an output file, such as 500kB: if a file would be larger, the quality is lowered, then the sides
        are shortened
    min_quality: lowest quality that --max-size may choose (default: 40)
    target_quality: visual quality of each output as an SSIMULACRA 2 score, such as 80: the lowest quality setting from 1 to 95
        that reaches it is used; 90 looks like the original, 70 shows small differences
    background: colour behind transparency if the output format has none
    color: srgb converts every image; keep embeds the source's profile
    depth: 8 bits per channel, or keep 16 if both source and format have them
    animated: the first frame, or all frames if the format supports animation (default: first; all with --format keep)
    metadata: metadata to copy to the output
    set: write this to the metadata (EXIF, IPTC and XMP): copyright=..., artist=..., dpi=300 (repeatable)
    set_if_missing: the same, but only if the metadata kept from the source does not contain it (repeatable)
    linear: resize in linear light
    engine: auto uses the fast path for JPEG; vips never does
    allow_truncated: accept truncated files and decode as much as possible
    never_bigger: copy the source, without metadata that is not kept, if the output would be larger and nothing else changed
    lossless: make JPEG, PNG and lossless WebP files smaller without changing a pixel: format, dimensions and orientation tag
        stay as they are; other files are copied, without the metadata that is not kept
    hdr: gain maps of JPEG files, with which HDR displays brighten parts of a picture: keep writes an Ultra HDR JPEG, unless a
        step pads, draws or crops by content; drop leaves the gain map out
    allow: read formats that are disabled by default, such as psd,jpeg2000, or all of them; some have settings
    max_pixels: pixels per image; kept animations count every frame
    max_side: pixels on the longest side
    max_scans: scans of a progressive JPEG; each costs as much as a small image
    max_frames: frames in an animation that is kept
    max_metadata: metadata per file: ICC profile, EXIF, XMP, IPTC, unpacked texts of a PNG, directories of a TIFF
    resize: another name for size
    geometry: another name for size
    thumb: another name for size
    thumbnail: another name for size
    dimensions: another name for size
    longest: another name for size
    longest_side: another name for size
    longest_edge: another name for size
    long_side: another name for size
    long_edge: another name for size
    max_dimension: another name for size
    max_dim: another name for size
    target_size: another name for max_size
    target_filesize: another name for max_size
    max_filesize: another name for max_size
    max_file_size: another name for max_size
    filesize: another name for max_size
    file_size: another name for max_size
    width: another name for size
    max_width: another name for size
    height: another name for size
    max_height: another name for size
    percent: another name for size
    percentage: another name for size
    scale: another name for size
    output_format: another name for format
    to: another name for format
    convert: another name for format
    convert_to: another name for format
    strip: another name for metadata
    strip_metadata: another name for metadata
    strip_exif: another name for metadata
    strip_all: another name for metadata
    no_metadata: another name for metadata
    no_exif: another name for metadata
    remove_metadata: another name for metadata
    remove_exif: another name for metadata
    keep_metadata: another name for metadata
    preserve_metadata: another name for metadata
    with_metadata: another name for metadata
    keep_exif: another name for metadata
    preserve_exif: another name for metadata
    no_gps: another name for metadata
    remove_gps: another name for metadata
    strip_gps: another name for metadata
    no_location: another name for metadata
    remove_location: another name for metadata
    strip_location: another name for metadata
    bg: another name for background
    background_color: another name for background
    background_colour: another name for background
    colour: another name for color
    """

    preset: Literal["web", "email", "archive", "icons"] | None
    size: str | int | None
    sizes: Sequence[int]
    fit: Literal["inside", "cover", "contain", "fill", "outside"] | None
    step: Sequence[StepLike]
    format: CodecLike | None
    formats: Sequence[CodecLike]
    quality: int | None
    effort: Literal["fast", "default", "best"] | None
    max_size: str | float | None
    min_quality: int | None
    target_quality: int | None
    background: Colour | str
    color: Literal["srgb", "keep"]
    depth: Literal["8", "keep"]
    animated: Literal["first", "keep"] | None
    metadata: Literal["strip", "copyright", "keep", "no-gps"]
    set: list[str] | tuple[str, ...] | Mapping[str, object]
    set_if_missing: list[str] | tuple[str, ...] | Mapping[str, object]
    linear: bool
    engine: Literal["auto", "vips"]
    allow_truncated: bool
    never_bigger: bool
    lossless: bool
    hdr: Literal["drop", "keep"]
    allow: Sequence[AllowLike]
    max_pixels: str | float
    max_side: int
    max_scans: int
    max_frames: int
    max_metadata: str | float
    resize: str | int | None
    geometry: str | int | None
    thumb: str | int | None
    thumbnail: str | int | None
    dimensions: str | int | None
    longest: str | int | None
    longest_side: str | int | None
    longest_edge: str | int | None
    long_side: str | int | None
    long_edge: str | int | None
    max_dimension: str | int | None
    max_dim: str | int | None
    target_size: str | float | None
    target_filesize: str | float | None
    max_filesize: str | float | None
    max_file_size: str | float | None
    filesize: str | float | None
    file_size: str | float | None
    width: float | str
    max_width: float | str
    height: float | str
    max_height: float | str
    percent: float | str
    percentage: float | str
    scale: float | str
    output_format: CodecLike | None
    to: CodecLike | None
    convert: CodecLike | None
    convert_to: CodecLike | None
    strip: bool
    strip_metadata: bool
    strip_exif: bool
    strip_all: bool
    no_metadata: bool
    no_exif: bool
    remove_metadata: bool
    remove_exif: bool
    keep_metadata: bool
    preserve_metadata: bool
    with_metadata: bool
    keep_exif: bool
    preserve_exif: bool
    no_gps: bool
    remove_gps: bool
    strip_gps: bool
    no_location: bool
    remove_location: bool
    strip_location: bool
    bg: Colour | str
    background_color: Colour | str
    background_colour: Colour | str
    colour: Literal["srgb", "keep"]
