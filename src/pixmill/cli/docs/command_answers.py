"""Words that people use as commands, and which command of ours does it."""

from collections.abc import Mapping

_RUN = "use pixmill run SRC DST"
_AGAIN = "repeat the same pixmill run command, which does what is missing; pixmill retry DST retries what failed"
_UNDO = "sources are never changed; the outputs are in DST, and pixmill prune DST lists those that are no longer asked for"

#: What to use instead of a command that does not exist, by the words for it.
_ANSWERS: Mapping[tuple[str, ...], str] = {
    ("convert", "transcode", "encode", "mogrify"): f"{_RUN} --format webp",
    ("resize", "scale", "shrink", "downscale"): f"{_RUN} --size 800x600",
    ("optimize", "optimise", "compress", "minify"): f"{_RUN} --size keep --format keep --never-bigger",
    ("thumbnail", "thumbnails", "thumb", "thumbs"): f"{_RUN} --size 200x200",
    ("crop", "square"): f"{_RUN} --size 400x400 --fit cover",
    ("grayscale", "greyscale", "gray", "grey", "bw"): f"{_RUN} --step grayscale",
    ("strip", "exif"): f"{_RUN} --size keep --format keep --metadata strip",
    ("sync", "mirror", "update"): f"{_RUN}; with --mirror it also removes the outputs of images that are gone",
    ("rerun", "resume", "continue", "redo", "restart"): _AGAIN,
    ("process", "start", "batch", "make", "build", "exec", "do"): _RUN,
    ("errors", "failed", "fails", "log", "logs"): "use pixmill failures DST",
    ("check", "validate"): "use pixmill verify DST for the outputs, or pixmill plan SRC DST to see what a run would do",
    ("repair", "fix"): "use pixmill verify DST --repair",
    ("clean", "delete", "remove", "rm", "gc", "purge"): "use pixmill prune DST",
    ("dry-run", "dryrun", "preview", "simulate", "list", "ls"): "use pixmill plan SRC DST",
    ("sample", "try", "test"): f"{_RUN} --sample 20",
    ("info", "show", "stats", "progress"): "use pixmill status DST",
    ("benchmark", "speed"): "use pixmill bench FOLDER",
    ("man", "docs", "options", "formats", "steps", "operations"): "use pixmill explain, or pixmill run --help",
    ("serve", "web", "dashboard"): f"{_RUN} --serve",
    ("version",): "use pixmill --version",
    ("undo", "revert"): _UNDO,
}
COMMAND_ANSWERS: Mapping[str, str] = {word: answer for words, answer in _ANSWERS.items() for word in words}
