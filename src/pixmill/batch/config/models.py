"""``RunConfig``: the configuration of a run. Every option is a field of one of these models and is declared nowhere else."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, structs

from pixmill.batch.config.pattern import Pattern
from pixmill.batch.config.shard import Shard, Splits
from pixmill.batch.config.time_zone import TimeZone
from pixmill.batch.naming.template import Template
from pixmill.core.errors import AddressError
from pixmill.core.model import Model
from pixmill.core.text import printable
from pixmill.core.units import ByteSize, Rate, SampleSize, TimeLimit
from pixmill.engine.policy import Policy
from pixmill.imaging.recipe import Recipe

MAX_SHOWN = 3  # sources in one message
#: the options that only a dataset as DST can have
OF_DATASETS = ("shard_size", "shard_samples", "caption", "split", "shuffle")


class Selection(Model, frozen=True, kw_only=True):
    """Which files of the source are processed."""

    former_names: ClassVar = {"max_bytes": "max_source_bytes"}

    include: Annotated[
        tuple[Pattern, ...],
        Meta(description="process only files and folders that match this pattern; rules of .gitignore, any case (repeatable)"),
    ] = ()
    exclude: Annotated[
        tuple[Pattern, ...],
        Meta(description="skip files and folders that match this pattern; rules of .gitignore, any case (repeatable)"),
    ] = ()
    all_files: Annotated[bool, Meta(description="detect images by content, whatever their extension")] = False
    follow_symlinks: Annotated[
        bool, Meta(description="follow symbolic links, visiting each target once", extra={"prevents": ("read-not-a-file",)})
    ] = False
    source_id: Annotated[
        str | None,
        Meta(
            description=(
                "treat the source as the one with this name, or as the one that used to be at this path, wherever it is now"
            )
        ),
    ] = None
    max_source_bytes: Annotated[
        ByteSize, Meta(description="maximum size of a source file", extra={"prevents": ("limit-bytes",)})
    ] = ByteSize(256_000_000)
    shard: Annotated[Shard, Meta(description="process one part of the files, such as 3/16; the split depends only on names")] = (
        Shard()
    )  # immutable
    shard_at: Annotated[
        tuple[str, ...],
        Meta(
            description="with --shard and SRC in a bucket: the key at which the next shard begins, so that each lists only its own "
            "(repeatable, in order, one less than there are shards)",
            extra={"value": "KEY"},
        ),
    ] = ()
    sample: Annotated[
        SampleSize | None,
        Meta(
            description="process only this many images, or this percentage, into a scratch folder, and estimate the output, "
            "time and failures of the whole run; DST is not touched",
            extra={"value": "N|N%"},
        ),
    ] = None
    column: Annotated[
        str | None, Meta(description="column of the list with the paths or URLs (default: path, url, image, ...)")
    ] = None
    per_host: Annotated[int, Meta(ge=1, description="lists of URLs: maximum concurrent requests per host")] = 8
    host_rate: Annotated[Rate | None, Meta(description="lists of URLs: maximum request rate per host")] = None
    read_timeout: Annotated[
        TimeLimit,
        Meta(description="lists of URLs: time without a byte from a server after which a request has failed"),
    ] = TimeLimit(10)
    checksum: Annotated[
        bool,
        Meta(description="detect changed images by their content instead of size and time"),
    ] = False
    allow_private_hosts: Annotated[
        bool, Meta(description="lists of URLs: also fetch from private networks", extra={"prevents": ("read-private",)})
    ] = False
    web_only: Annotated[
        bool,
        Meta(description="untrusted lists: process only web URLs, no files and no buckets"),
    ] = False

    @property
    def part(self) -> Shard:
        """Return the shard, with the keys at which shards begin."""
        return Shard(self.shard.index, self.shard.count, self.shard_at)


class Placement(Model, frozen=True, kw_only=True):
    """Where outputs go, and how they are written."""

    name: Annotated[
        Template,
        Meta(description="path of each output below the destination; {rendition} tells sizes and formats apart"),
    ] = Template()  # immutable
    flat: Annotated[
        bool,
        Meta(description="leave out the folders of the sources: names stay unique over the whole output"),
    ] = False
    timezone: Annotated[
        TimeZone,
        Meta(
            description=(
                "time zone of {date} for images without a date in EXIF, which get the date of their file, such as Europe/Berlin"
            )
        ),
    ] = TimeZone()  # immutable
    on_collision: Annotated[
        Literal["suffix", "error"],
        Meta(
            description="what to do when two sources map to the same output name",
            extra={"synonyms": {"rename": "suffix", "fail": "error"}},
        ),
    ] = "suffix"
    portable_names: Annotated[
        bool,
        Meta(
            description=(
                "use names that every file system accepts: _ for characters, words and endings that Windows refuses, at most 255 "
                "bytes; by default, only if the destination requires it"
            ),
            extra={"prevents": ("write-name",)},
        ),
    ] = False
    existing: Annotated[
        Literal["fail", "replace", "skip", "refuse", "adopt"],
        Meta(
            description="what to do when pixmill did not write the file at an output's path, or it was changed since: "
            "fail the image, replace the file, skip the image, refuse the whole run, "
            "or adopt a complete file of the expected format and size",
            extra={
                "prevents": ("exists",),
                "synonyms": {"overwrite": "replace", "ignore": "skip", "error": "fail", "abort": "refuse"},
            },
        ),
    ] = "fail"
    follow_output_links: Annotated[
        bool, Meta(description="write through symbolic links below the destination", extra={"prevents": ("write-link",)})
    ] = False
    durability: Annotated[Literal["full", "none"], Meta(description="full: outputs survive a power failure; none: no fsync")] = (
        "full"
    )
    preserve: Annotated[tuple[Literal["mtime"], ...], Meta(description="attributes to copy from the source file: mtime")] = ()
    shard_size: Annotated[
        ByteSize | None, Meta(description="datasets (tar://, parquet://): bytes of images per shard (default: 1GB)")
    ] = None
    shard_samples: Annotated[int | None, Meta(ge=1, description="datasets: maximum samples per shard (default: 10000)")] = None
    caption: Annotated[
        str | None,
        Meta(
            description="datasets: column with captions, to write as KEY.txt or column caption "
            "(default: those of a dataset as SRC)",
            extra={"value": "COLUMN"},
        ),
    ] = None
    split: Annotated[
        Splits | None,
        Meta(
            description="datasets: shards of their own for each part, such as train=0.9,val=0.1; a hash of the key decides",
            extra={"value": "NAME=SHARE,..."},
        ),
    ] = None
    shuffle: Annotated[
        int | None,
        Meta(
            ge=0,
            le=2**63 - 1,
            description="datasets: order of the samples by a hash of this number and the key",
            extra={"value": "SEED"},
        ),
    ] = None
    state: Annotated[
        str | None,
        Meta(description="keep the ledger in this folder instead of .pixmill in the destination", extra={"value": "FOLDER"}),
    ] = None
    index: Annotated[
        str | None,
        Meta(description="write an index of all outputs to this file, one JSON line per image", extra={"value": "FILE"}),
    ] = None


class RunConfig(Model, frozen=True, kw_only=True):
    """The configuration of one run, from file, environment and flags, or from Python."""

    source: Annotated[
        str | tuple[str, ...],
        Meta(
            description="folder or bucket of images, a single image, a tar or zip file, "
            "or a list of paths and URLs (-: standard input); several files, folders, archives, buckets and URLs as a list"
        ),
    ]
    destination: Annotated[str, Meta(description="folder or bucket for the outputs, or a dataset in one")]
    recipe: Annotated[Recipe, Meta(description="how to process each image")] = Recipe()  # immutable
    selection: Selection = Selection()  # immutable
    placement: Placement = Placement()  # immutable
    policy: Policy = Policy()  # immutable
    workers: Annotated[
        int | None,
        Meta(
            ge=1,
            description="number of worker processes (default: one per usable core, six per core with buckets or URLs)",
            extra={"letter": "j", "prevents": ("limit-memory", "out-of-memory")},
        ),
    ] = None
    executor: Annotated[
        str,
        Meta(
            description="where to process images: local, ray, dask, or inline to debug a step",
            extra={"prevents": ("node-lost",), "value": "EXECUTOR"},
        ),
    ] = "local"
    address: Annotated[
        str | None,
        Meta(description="cluster address, such as 10.0.0.1:6379 (default: RAY_ADDRESS, or a cluster started on this machine)"),
    ] = None
    on_upgrade: Annotated[
        Literal["keep", "remake"],
        Meta(
            description=(
                "what to do with finished images when the version of an image library, or of pixmill's own processing, has "
                "changed: keep them, or make them again"
            )
        ),
    ] = "keep"
    force: Annotated[bool, Meta(description="reprocess everything, including finished images")] = False
    preset_name: Annotated[str, Meta(description="the preset that the recipe was made from; empty for none")] = ""

    def __post_init__(self) -> None:
        """Store a list of one source as that source; ``AddressError`` for an empty list."""
        super().__post_init__()
        if not self.source:
            raise AddressError("SRC is missing: give a folder, an image, or several of them")
        if isinstance(self.source, tuple) and len(self.source) == 1:
            structs.force_setattr(self, "source", self.source[0])

    @property
    def sources(self) -> tuple[str, ...]:
        """Return every SRC, in the order given."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def source_text(self) -> str:
        """Return SRC for a message; of several, the first ones and the number of the others."""
        shown = ", ".join(map(printable, self.sources[:MAX_SHOWN]))
        more = len(self.sources) - MAX_SHOWN
        return f"{shown} and {more:,} more" if more > 0 else shown
