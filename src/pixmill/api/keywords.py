"""The keywords of ``run`` and ``process``, for type checkers and ``help``. Written by docs/signatures.py."""

import os
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


class RunOptions(ImageOptions, total=False):
    """All options of a run: keywords of ``run`` and ``open_run``.

    include: process only files and folders that match this pattern; rules of .gitignore, any case (repeatable)
    exclude: skip files and folders that match this pattern; rules of .gitignore, any case (repeatable)
    all_files: detect images by content, whatever their extension
    follow_symlinks: follow symbolic links, visiting each target once
    source_id: treat the source as the one with this name, or as the one that used to be at this path, wherever it is now
    max_source_bytes: maximum size of a source file
    shard: process one part of the files, such as 3/16; the split depends only on names
    sample: process only this many images, or this percentage, into a scratch folder, and estimate the output, time and failures
        of the whole run; DST is not touched
    column: column of the list with the paths or URLs (default: path, url, image, ...)
    per_host: lists of URLs: maximum concurrent requests per host
    host_rate: lists of URLs: maximum request rate per host
    checksum: detect changed images by their content instead of size and time
    allow_private_hosts: lists of URLs: also fetch from private networks
    web_only: untrusted lists: process only web URLs, no files and no buckets
    min_size: reject images with a shorter side, such as 256x256, 800x or x600
    max_aspect: reject images whose longer side is more than this many times the shorter one
    name: path of each output below the destination; {rendition} tells sizes and formats apart
    flat: leave out the folders of the sources: names stay unique over the whole output
    timezone: time zone of {date} for images without a date in EXIF, which get the date of their file, such as Europe/Berlin
    on_collision: what to do when two sources map to the same output name
    portable_names: use names that every file system accepts: _ for characters, words and endings that Windows refuses, at most
        255 bytes; by default, only if the destination requires it
    existing: what to do when pixmill did not write the file at an output's path, or it was changed since: fail the image,
        replace the file, skip the image, refuse the whole run, or adopt a complete file of the expected format and size as the
        output
    follow_output_links: write through symbolic links below the destination
    durability: full: outputs survive a power failure; none: no fsync
    preserve: attributes to copy from the source file: mtime
    shard_size: datasets (tar://, parquet://): bytes of images per shard (default: 1GB)
    shard_samples: datasets: maximum samples per shard (default: 10000)
    state: keep the ledger in this folder instead of .pixmill in the destination
    index: write an index of all outputs to this file, one JSON line per image
    workers: number of worker processes (default: one per usable core, six per core with buckets or URLs)
    executor: where to process images: local, ray, dask, or inline to debug a step
    address: cluster address, such as 10.0.0.1:6379 (default: RAY_ADDRESS, or a cluster started on this machine)
    on_upgrade: what to do with finished images when the version of an image library, or of pixmill's own processing, has
        changed: keep them, or make them again
    force: reprocess everything, including finished images
    attempts: attempts per image over all runs; the last one runs alone in a fresh worker
    timeout: time limit per image, after which its worker is killed
    grace: time for images in flight to finish after the first Ctrl-C or SIGTERM
    max_rate: maximum number of images to start per second
    memory: memory limit for all processes together; by default most of the machine's memory
    max_failures: stop when more images than this fail, such as 20, or more than 5% of those finished; 100% never stops
        (default: stop if the first 100 images all fail with the same code)
    window: number of tasks to read ahead of the workers
    interruptions: times that the run may be killed while it works on an image before the image is failed
    store_timeout: time to wait for a store that refuses requests or does not respond before the run ends; no image fails
    backoff: mean delay before the first retry; doubles with each further retry
    backoff_limit: maximum delay before a retry
    recycle_tasks: replace a worker after this many tasks; 0 means never
    recycle_growth: replace a worker once its memory has grown by this much
    overwrite: another name for existing
    replace: another name for existing
    skip_existing: another name for existing
    no_overwrite: another name for existing
    no_clobber: another name for existing
    jobs: another name for workers
    processes: another name for workers
    procs: another name for workers
    parallel: another name for workers
    concurrency: another name for workers
    num_workers: another name for workers
    max_workers: another name for workers
    threads: another name for workers
    num_threads: another name for workers
    cpu: another name for workers
    cpus: another name for workers
    cores: another name for workers
    keep_date: another name for preserve
    keep_dates: another name for preserve
    keep_time: another name for preserve
    keep_times: another name for preserve
    keep_mtime: another name for preserve
    preserve_date: another name for preserve
    preserve_dates: another name for preserve
    preserve_time: another name for preserve
    preserve_times: another name for preserve
    preserve_mtime: another name for preserve
    only: another name for include
    pattern: another name for include
    glob: another name for include
    ignore: another name for exclude
    no_subfolders: another name for flat
    follow: another name for follow_symlinks
    follow_links: another name for follow_symlinks
    dereference: another name for follow_symlinks
    max_bytes: another name for max_source_bytes
    recursive: changes nothing: folders are always read with everything below them; --exclude leaves parts out
    auto_orient: changes nothing: the EXIF orientation is always applied
    auto_rotate: changes nothing: the EXIF orientation is always applied
    autorotate: changes nothing: the EXIF orientation is always applied
    no_upscale: changes nothing: images are only enlarged by a step with enlarge=true
    no_enlarge: changes nothing: images are only enlarged by a step with enlarge=true
    resume: changes nothing: a run always continues where the last one stopped, and processes only what is missing, new or
        changed
    incremental: changes nothing: a run always continues where the last one stopped, and processes only what is missing, new or
        changed
    update: changes nothing: a run always continues where the last one stopped, and processes only what is missing, new or
        changed
    keep_going: changes nothing: a failed image never stops the others; --max-failures sets how many may fail
    skip_errors: changes nothing: a failed image never stops the others; --max-failures sets how many may fail
    ignore_errors: changes nothing: a failed image never stops the others; --max-failures sets how many may fail
    continue_on_error: changes nothing: a failed image never stops the others; --max-failures sets how many may fail
    keep_aspect_ratio: changes nothing: the aspect ratio is kept, unless --fit is fill
    preserve_aspect_ratio: changes nothing: the aspect ratio is kept, unless --fit is fill
    """

    include: list[str] | tuple[str, ...]
    exclude: list[str] | tuple[str, ...]
    all_files: bool
    follow_symlinks: bool
    source_id: str | None
    max_source_bytes: str | float
    shard: str
    sample: int | str | None
    column: str | None
    per_host: int
    host_rate: str | float | None
    checksum: bool
    allow_private_hosts: bool
    web_only: bool
    min_size: str | int | None
    max_aspect: float | None
    name: str
    flat: bool
    timezone: str
    on_collision: Literal["suffix", "error"]
    portable_names: bool
    existing: Literal["fail", "replace", "skip", "refuse", "adopt"]
    follow_output_links: bool
    durability: Literal["full", "none"]
    preserve: Sequence[Literal["mtime"]]
    shard_size: str | float | None
    shard_samples: int | None
    state: str | os.PathLike[str] | None
    index: str | os.PathLike[str] | None
    workers: int | None
    executor: str
    address: str | None
    on_upgrade: Literal["keep", "remake"]
    force: bool
    attempts: int
    timeout: str | float
    grace: str | float
    max_rate: str | float | None
    memory: str | float | None
    max_failures: int | str | None
    window: int
    interruptions: int
    store_timeout: str | float
    backoff: str | float
    backoff_limit: str | float
    recycle_tasks: int
    recycle_growth: str | float
    overwrite: bool
    replace: bool
    skip_existing: bool
    no_overwrite: bool
    no_clobber: bool
    jobs: int | None
    processes: int | None
    procs: int | None
    parallel: int | None
    concurrency: int | None
    num_workers: int | None
    max_workers: int | None
    threads: int | None
    num_threads: int | None
    cpu: int | None
    cpus: int | None
    cores: int | None
    keep_date: bool
    keep_dates: bool
    keep_time: bool
    keep_times: bool
    keep_mtime: bool
    preserve_date: bool
    preserve_dates: bool
    preserve_time: bool
    preserve_times: bool
    preserve_mtime: bool
    only: list[str] | tuple[str, ...]
    pattern: list[str] | tuple[str, ...]
    glob: list[str] | tuple[str, ...]
    ignore: list[str] | tuple[str, ...]
    no_subfolders: bool
    follow: bool
    follow_links: bool
    dereference: bool
    max_bytes: str | float
    recursive: Literal[True]
    auto_orient: Literal[True]
    auto_rotate: Literal[True]
    autorotate: Literal[True]
    no_upscale: Literal[True]
    no_enlarge: Literal[True]
    resume: Literal[True]
    incremental: Literal[True]
    update: Literal[True]
    keep_going: Literal[True]
    skip_errors: Literal[True]
    ignore_errors: Literal[True]
    continue_on_error: Literal[True]
    keep_aspect_ratio: Literal[True]
    preserve_aspect_ratio: Literal[True]
