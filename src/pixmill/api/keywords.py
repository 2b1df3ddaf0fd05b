"""The keywords of ``run``, for type checkers and ``help``. Written by docs/signatures.py."""

import os
from collections.abc import Sequence
from typing import Literal

from pixmill.api.image_keywords import ImageOptions


class RunOptions(ImageOptions, total=False):
    """All options of a run: keywords of ``run`` and ``open_run``.

    include: process only files and folders that match this pattern; rules of .gitignore, any case (repeatable)
    exclude: skip files and folders that match this pattern; rules of .gitignore, any case (repeatable)
    all_files: detect images by content, whatever their extension
    follow_symlinks: follow symbolic links, visiting each target once
    source_id: treat the source as the one with this name, or as the one that used to be at this path, wherever it is now
    max_source_bytes: maximum size of a source file
    shard: process one part of the files, such as 3/16; the split depends only on names
    shard_at: with --shard and SRC in a bucket: the key at which the next shard begins, so that each lists only its own
        (repeatable, in order, one less than there are shards)
    sample: process only this many images, or this percentage, into a scratch folder, and estimate the output, time and failures
        of the whole run; DST is not touched
    column: column of the list with the paths or URLs (default: path, url, image, ...)
    per_host: lists of URLs: maximum concurrent requests per host
    host_rate: lists of URLs: maximum request rate per host
    read_timeout: lists of URLs: time without a byte from a server after which a request has failed
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
        replace the file, skip the image, refuse the whole run, or adopt a complete file of the expected format and size
    follow_output_links: write through symbolic links below the destination
    durability: full: outputs survive a power failure; none: no fsync
    preserve: attributes to copy from the source file: mtime
    shard_size: datasets (tar://, parquet://): bytes of images per shard (default: 1GB)
    shard_samples: datasets: maximum samples per shard (default: 10000)
    caption: datasets: column with captions, to write as KEY.txt or column caption (default: those of a dataset as SRC)
    split: datasets: shards of their own for each part, such as train=0.9,val=0.1; a hash of the key decides
    shuffle: datasets: order of the samples by a hash of this number and the key
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
    shard_at: list[str] | tuple[str, ...]
    sample: int | str | None
    column: str | None
    per_host: int
    host_rate: str | float | None
    read_timeout: str | float
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
    caption: str | None
    split: str | dict[str, float] | None
    shuffle: int | None
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
