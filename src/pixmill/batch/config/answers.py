"""Words of other tools that have no equal here: what to use instead, in one sentence.

A word is here if its meaning differs from that of every option, or if it has several; words with the same meaning are aliases.
The sentences are written with flags; ``spelling`` writes them for a file, a variable or Python.
"""

from collections.abc import Mapping

_GRAYSCALE = "use --step grayscale"
_ENLARGE = "use --step resize:width=...,enlarge=true"
_CROP = "use --size WxH --fit cover, or --step crop:width=...,height=..."
_EXTENSION = "for the format of the outputs use --format webp, to process only some files --include '*.webp'"
_FEWER = "to try a few images, from all folders, into a scratch folder, use --sample 20; for one part of them --shard 1/10"
_REMOVE = "to remove outputs whose images are gone use --mirror in a run, or pixmill prune DST --yes; sources are never removed"
_SOURCES = "pixmill never changes its sources: give another folder as DST"
_METRICS = "use --metrics-file FILE, or --metrics-port 9100 for Prometheus"
_LOG = "use --log-file FILE for the failures, or --events FILE for everything that happens"
_PLAN = "use --dry-run, which writes nothing, or --sample 20, which tries a few images"
_NOISE = "use --progress plain to see more, or --events FILE for every event; pixmill --version prints the version"
_EVERYTHING_AGAIN = "a run does what is missing, and --force does everything again; pixmill retry DST retries what failed"
_SKIP = "images that are done are skipped anyway; for files of others use --existing skip, to leave out images --exclude PATTERN"
_KERNEL = (
    "to choose files use --include PATTERN or --exclude PATTERN; the filter of a resize is --step resize:width=...,kernel=cubic"
)
_RENAME = "use --name, such as --name '{dir}/{stem}-small.{ext}'"
_EXIF = "use --metadata, which is keep, copyright, no-gps or strip"
_SORT = "images are processed in the order of their names, or of the list; outputs do not depend on it"
_GRAVITY = (
    "use --step resize:width=400,height=400,fit=cover,gravity=attention, or another gravity such as north, in place of --size"
)
_PADDED = "use --size WxH --fit contain"
_PIXELS = "pixmill works in pixels: use --size WxH"
_ARCHIVE = "folders are always read with everything below them; --preserve mtime keeps the dates of the files"
_EFFORT = "use --effort best, or --effort fast"
_LOOKS = "use --target-quality 80: how good each output has to look, as a score by SSIMULACRA 2"
_LIST = "give the list as SRC, or - for standard input"
_STEPS = "use --size and --step NAME, once for each step; pixmill explain lists the operations"
_DELAY = "use --max-rate 5/s"
_ATTEMPTS = "use --attempts 3 in a run; pixmill retry DST retries what failed"

#: What to tell people who use a name that is neither an option nor an alias.
ANSWERS: Mapping[str, str] = {
    **dict.fromkeys(("ssimulacra2", "ssim", "target_ssim", "dssim", "butteraugli", "psnr"), _LOOKS),
    "compression": "use --quality and --effort; pixmill explain png lists what the format has",
    "compress": "use --quality and --effort",
    "optimize": "use --effort best for smaller files, --never-bigger to keep sources that are smaller than their outputs",
    "optimise": "use --effort best for smaller files, --never-bigger to keep sources that are smaller than their outputs",
    "progressive": "use --format jpeg:progressive=true",
    "in_place": _SOURCES,
    "inplace": _SOURCES,
    "move": _SOURCES,
    "remove_source": _SOURCES,
    "remove_sources": _SOURCES,
    "delete_source": _SOURCES,
    "delete_original": _SOURCES,
    "delete_originals": _SOURCES,
    "delete": _REMOVE,
    "sync": _REMOVE,
    "purge": _REMOVE,
    "clean": _REMOVE,
    "watch": "use pixmill watch SRC DST",
    "daemon": "use pixmill watch SRC DST",
    "verbose": _NOISE,
    "v": _NOISE,
    "w": "use --width 800, or --size WxH",
    "t": "use --workers 4 (short: -j), or --timeout 30s",
    "p": "use --workers 4 (short: -j)",
    "c": "use --config FILE",
    "i": "give SRC as the first word, DST as the last one",
    "y": "a run asks nothing; for files of others in DST use --existing replace",
    "vv": _NOISE,
    "silent": "use --quiet",
    "log": _LOG,
    "logfile": _LOG,
    "log_level": _LOG,
    "error_log": _LOG,
    "metrics": _METRICS,
    "prometheus": _METRICS,
    "dry": _PLAN,
    "dryrun": _PLAN,
    "simulate": _PLAN,
    "preview": _PLAN,
    "test": _PLAN,
    "check": _PLAN,
    "enlarge": _ENLARGE,
    "upscale": _ENLARGE,
    "crop": _CROP,
    "square": "use --size 400x400 --fit cover",
    "stretch": "use --size WxH --fit fill",
    **dict.fromkeys(("shortest", "shortest_side", "shortest_edge", "short_side", "short_edge"), "use --size 800 --fit outside"),
    **dict.fromkeys(("megapixels", "area"), "use --size 2MP"),
    "suffix": "use --name '{dir}/{stem}-small.{ext}'",
    "prefix": "use --name '{dir}/small-{stem}.{ext}'",
    "rename": _RENAME,
    "template": _RENAME,
    "output_name": _RENAME,
    "filename": _RENAME,
    "flatten": "to put all outputs into one folder use --flat; transparency is always flattened onto --background",
    "gray": _GRAYSCALE,
    "grey": _GRAYSCALE,
    "greyscale": _GRAYSCALE,
    "bw": _GRAYSCALE,
    "monochrome": _GRAYSCALE,
    "mono": _GRAYSCALE,
    "black_and_white": _GRAYSCALE,
    "desaturate": _GRAYSCALE,
    "exif": _EXIF,
    "gps": _EXIF,
    "ext": _EXTENSION,
    "extension": _EXTENSION,
    "extensions": _EXTENSION,
    "type": _EXTENSION,
    "types": _EXTENSION,
    "filter": _KERNEL,
    "interpolation": _KERNEL,
    "resample": _KERNEL,
    "skip": _SKIP,
    "first": _FEWER,
    "limit": _FEWER,
    "head": _FEWER,
    "count": _FEWER,
    "max_images": _FEWER,
    "max_files": _FEWER,
    "redo": _EVERYTHING_AGAIN,
    "rerun": _EVERYTHING_AGAIN,
    "restart": _EVERYTHING_AGAIN,
    "retry": _ATTEMPTS,
    "retries": _ATTEMPTS,
    "sort": _SORT,
    "order": _SORT,
    "delay": _DELAY,
    "throttle": _DELAY,
    "rate": _DELAY,
    "gpu": "pixmill works on the processor's cores only: use --workers",
    "dpi": "use --set dpi=300, which states it and changes no pixel; sizes are in pixels",
    "density": _PIXELS,
    "resolution": _PIXELS,
    "gravity": _GRAVITY,
    "position": _GRAVITY,
    "focus": _GRAVITY,
    "smart": _GRAVITY,
    "smart_crop": _GRAVITY,
    "smartcrop": _GRAVITY,
    "extent": _PADDED,
    "border": "use --step border:width=20",
    "frame": "use --step border:width=20",
    **dict.fromkeys(("text", "annotate"), "use --step text:text=..."),
    "aspect": "use --step crop:aspect=16:9, or --step pad:aspect=16:9 to cut nothing off",
    "aspect_ratio": "use --step crop:aspect=16:9, or --step pad:aspect=16:9 to cut nothing off",
    "ratio": "use --step crop:aspect=16:9, or --step pad:aspect=16:9 to cut nothing off",
    "a": _ARCHIVE,
    "av": _ARCHIVE,
    "avz": _ARCHIVE,
    "archive": _ARCHIVE,
    "m": _EFFORT,
    "method": _EFFORT,
    "speed": _EFFORT,
    "mt": "every core is used anyway: --workers limits them",
    "files_from": _LIST,
    "from_file": _LIST,
    "list": _LIST,
    "near_lossless": "use --format webp:near_lossless=60",
    "alpha_q": "use --format webp:alpha_quality=80",
    "sampling_factor": "use --format jpeg:subsampling=4:4:4",
    "chroma_subsampling": "use --format jpeg:subsampling=4:4:4",
    "subsampling": "use --format jpeg:subsampling=4:4:4",
    "interlace": "use --format jpeg:progressive=true",
    "colorspace": "use --color srgb or --color keep; --step profile converts to another colour space, --step grayscale to gray",
    "vf": _STEPS,
    "define": "settings of a format follow a colon, such as --format jpeg:progressive=true",
    "max_depth": "folders are always read with everything below them; --exclude '*/*/' leaves out all but the first level",
    "no_recursive": "folders are always read with everything below them; --exclude '*/' leaves out all folders in SRC",
    "yes": "a run asks nothing; for files of others in DST use --existing replace",
    "time": "use --timeout 30s for the limit of each image",
    "version": "use pixmill --version",
}

#: Options of ``pixmill run`` that some commands which share its other options do not have; and the reason.
ONLY_OF_A_RUN: Mapping[str, str] = {
    "max_failures": "it is an option of pixmill run and pixmill retry: a watch never stops because of failures",
    "sample": "it is an option of pixmill run, which ends after the sample",
}
