"""What the codes mean that are no errors: notes on finished images, and reasons why files, images and outputs are left alone."""

from collections.abc import Mapping

from pixmill.batch.pruning import result
from pixmill.batch.state.outputs import OUTPUT_CHANGED
from pixmill.batch.worker.adoption import ADOPTED
from pixmill.batch.worker.claims import EXISTS
from pixmill.batch.worker.options import NEWER
from pixmill.engine.ledger import FINISHED
from pixmill.engine.task import UNCHANGED

#: notes on finished images, in summaries, reports and records
NOTES: Mapping[str, str] = {
    "frames-dropped": "an output has only the first frame of an animation (of a JPEG XL, the last); --animated keep keeps all of "
    "them, in formats that can be animated",
    "pages-dropped": "an output has only the first page or image of a file with several",
    "profile-ignored": "the colour profile is damaged, or of another kind than the pixels, and was not used",
    "colour-ignored": "the colour information in the file (cICP, nclx, gAMA or cHRM) is meaningless, and was not used",
    "adobe-rgb-by-exif": "the colours are those of Adobe RGB, as the camera states in EXIF in place of a profile",
    "hdr-tone-mapped": "the high dynamic range of the image (PQ or HLG) was mapped to sRGB",
    "converted-to-srgb": "the format of the output cannot carry the colour profile that was to be kept, so its pixels are in sRGB",
    "depth-reduced": "the image has more than 8 bits per channel, but is decoded to 8 here, although --depth keep asked for 16",
    "preview-used": "the output shows the largest preview in the file, because the image itself cannot be read",
    "metadata-dropped": "an output lacks metadata that the policy keeps: its format cannot store it, or it is damaged; "
    "pixmill explain metadata lists what each policy keeps",
    "gain-map-dropped": "the source has a second image for bright displays (Ultra HDR, Apple), which an output does not have: "
    "--hdr keep keeps it in a JPEG",
    "warnings": (
        "the decoder warned about the file, but no pixel is missing: some bytes belong to nothing, or some statements have no"
        " effect"
    ),
    "copied": (
        "the output contains the stored pixels of the source, with the metadata that the policy keeps, because the output "
        "would have been larger; --never-bigger or --lossless requested this"
    ),
    "larger-than-source": "the output of --lossless is larger than the source: metadata that it keeps had to be written in more "
    "bytes",
    NEWER: "the object was changed after it had been listed; its present version was processed",
    ADOPTED: "a complete file of the expected format and size already existed and counts as the output (--existing adopt)",
}
#: for each group of codes, where they appear
REASONS: Mapping[str, Mapping[str, str]] = {
    "why an image was skipped": {
        UNCHANGED: "the image is done, and neither it nor the recipe has changed",
        EXISTS: "a file that pixmill did not write has the name of the output, and --existing skip leaves both as they are",
        OUTPUT_CHANGED: "the output was changed since pixmill wrote it, and is left as it is; --existing replace makes it again",
    },
    "why a file was ignored": {
        "hidden": "its name begins with a dot",
        "not-an-image": "it has no extension of an image format; --all-files looks at the content instead",
        "unsupported": "it is an image of a kind that pixmill does not read, or reads only if --allow names it",
        "symlink": "it is a symbolic link; --follow-symlinks includes such files",
        "output": "it is an output of pixmill in the folder of the source",
        "old-version": "it is not the latest version of the object, according to the inventory",
        "delete-marker": "the object was deleted, according to the inventory",
        "excluded": "it matches a pattern of --exclude",
        "not-included": "it matches no pattern of --include",
    },
    "why a run ended": {
        FINISHED: "every image that was found has its result",
        "interrupted": "it was stopped by Ctrl-C, or by the program that started it",
        "SIGINT": "it was stopped by Ctrl-C; images in progress were finished first",
        "SIGTERM": "it was asked to end, as by kill or docker stop; images in progress were finished first",
        "killed": "it was stopped at once, by a second Ctrl-C or signal",
    },
    "why an output is removed by prune": {
        result.SOURCE_GONE: "its image is gone",
        result.NOT_IN_LIST: "its image is no longer in the list",
        result.NOT_REQUESTED: "the last run no longer requested it",
    },
    "why an output is kept by prune": {
        result.CHANGED: "it was changed since pixmill wrote it",
        result.OTHERS_NAME: "its name is now that of another image's output",
        result.ADOPTED: "it was adopted, not written by pixmill",
        result.UNCERTAIN_REQUEST: "an earlier recipe asked for it, but the last run left images out or did not finish",
    },
}
