"""``RunConfig``: what was asked. Every option of a run is a field of one of these models, and is declared nowhere else."""

from typing import Annotated, Literal

from msgspec import Meta

from pixmill.batch.config.shard import Shard
from pixmill.batch.naming.template import Template
from pixmill.core.model import Model
from pixmill.core.units import ByteSize, Rate
from pixmill.engine.policy import Policy
from pixmill.imaging.recipe import Recipe


class Selection(Model, frozen=True, kw_only=True):
    """Which files of the source are taken."""

    include: Annotated[tuple[str, ...], Meta(description="take only files whose path matches this pattern (repeatable)")] = ()
    exclude: Annotated[tuple[str, ...], Meta(description="leave out files whose path matches this pattern (repeatable)")] = ()
    all_files: Annotated[bool, Meta(description="look into every file, not only those with an image extension")] = False
    follow_symlinks: Annotated[bool, Meta(description="follow symbolic links; each target is visited once")] = False
    max_bytes: Annotated[ByteSize, Meta(description="largest source file that is read")] = ByteSize(256_000_000)
    shard: Annotated[Shard, Meta(description="process one part of the files, such as 3/16; the split is by name and stable")] = (
        Shard()
    )  # immutable
    column: Annotated[str | None, Meta(description="column of a list that holds the paths or URLs: path, url, image, ...")] = None
    per_host: Annotated[int, Meta(ge=1, description="of a list of URLs: requests that one host gets at a time")] = 8
    host_rate: Annotated[Rate | None, Meta(description="of a list of URLs: requests that one host gets a second, at most")] = None
    allow_private_hosts: Annotated[
        bool, Meta(description="of a list of URLs: also ask hosts that are not on the public internet")
    ] = False


class Placement(Model, frozen=True, kw_only=True):
    """Where results go, and how they are put there."""

    name: Annotated[Template, Meta(description="name of an output below the destination")] = Template()  # immutable
    on_collision: Annotated[Literal["suffix", "error"], Meta(description="what to do when two sources want one name")] = "suffix"
    existing: Annotated[
        Literal["fail", "replace", "skip", "refuse"],
        Meta(
            description="what to do about a file in an output's place that pixmill did not write: "
            "fail that image, replace the file, skip the image, or refuse the whole run"
        ),
    ] = "fail"
    follow_output_links: Annotated[bool, Meta(description="write through symbolic links below the destination")] = False
    durability: Annotated[Literal["full", "none"], Meta(description="full: outputs survive a power cut; none: no fsync")] = "full"
    preserve: Annotated[tuple[Literal["mtime"], ...], Meta(description="carry over from the source file: mtime")] = ()
    shard_size: Annotated[
        ByteSize | None, Meta(description="of a dataset (tar://, parquet://): bytes of images in one shard; 1GB by default")
    ] = None
    shard_samples: Annotated[int | None, Meta(ge=1, description="of a dataset: most samples in one shard; 10000 by default")] = None
    state: Annotated[str | None, Meta(description="folder of the ledger, instead of .pixmill in the destination")] = None
    index: Annotated[str | None, Meta(description="write an index of all outputs to this file, one JSON line an image")] = None


class RunConfig(Model, frozen=True, kw_only=True):
    """One run as it was asked for: from file, environment and flags, or from Python."""

    source: Annotated[
        str,
        Meta(
            description="folder or bucket of images, one image, a tar or zip file, or a list of paths and URLs (-: standard input)"
        ),
    ]
    destination: Annotated[str, Meta(description="folder or bucket of the results, or a dataset there")]
    recipe: Annotated[Recipe, Meta(description="what to make of each image")] = Recipe()  # immutable
    selection: Selection = Selection()  # immutable
    placement: Placement = Placement()  # immutable
    policy: Policy = Policy()  # immutable
    workers: Annotated[
        int | None,
        Meta(ge=1, description="worker processes; as many as the cores that may be used, six times that with a store"),
    ] = None
    executor: Annotated[str, Meta(description="where the work runs: local, ray, dask, or inline to debug a step")] = "local"
    address: Annotated[
        str | None, Meta(description="address of the cluster, such as 10.0.0.1:6379; by default RAY_ADDRESS, or one started here")
    ] = None
    force: Annotated[bool, Meta(description="do everything again, also what is done")] = False
