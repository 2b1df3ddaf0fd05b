"""The sentence that says what will be made."""

import json

import pytest

from pixmill.batch.config.options import resolve
from pixmill.batch.planning.recipe_summary import recipe_summary
from pixmill.imaging.recipe import Recipe

PLAIN = "sRGB, 8 bits; metadata: only credits"
PHOTO = "JPEG, quality 85"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, [f"{PHOTO}; fit within 1920x1920 (the default box); {PLAIN}"]),
        ({"size": "1920x1920"}, [f"{PHOTO}; fit within 1920x1920 (--size); {PLAIN}"]),
        ({"size": "x600", "fit": "cover"}, [f"{PHOTO}; cropped to at most x600 (--size); {PLAIN}"]),
        ({"size": "9x9", "fit": "fill"}, [f"{PHOTO}; stretched to at most 9x9 (--size); {PLAIN}"]),
        ({"size": "keep", "format": "webp", "animated": "keep"}, [f"WebP, quality 80, animations kept; original size; {PLAIN}"]),
        ({"format": "keep", "animated": "first"}, [f"the source's format; fit within 1920x1920 (the default box); {PLAIN}"]),
        (
            {"format": "webp", "max_size": "50kB", "min_quality": 30, "size": "keep"},
            [f"WebP, quality 80, at most 50kB (quality 30 and more, then shorter sides); original size; {PLAIN}"],
        ),
        ({"format": "png", "max_size": "1MiB", "size": "keep"}, [f"PNG, at most 1MiB; original size; {PLAIN}"]),
        (
            {"format": "webp", "target_quality": 80, "max_size": "9kB", "size": "keep"},
            [f"WebP, the lowest quality that scores 80, at most 9kB; original size; {PLAIN}"],
        ),
        ({"size": "12.5%"}, [f"{PHOTO}; scaled to 12.5 % (--size); {PLAIN}"]),
        ({"size": "keep", "format": "png"}, [f"PNG; original size; {PLAIN}"]),
        ({"fit": "contain"}, [f"{PHOTO}; padded to 1920x1920 (--size); {PLAIN}"]),
        (
            {"step": ["flip", "crop:width=9,gravity=north"]},
            [f"{PHOTO}; size set by step 2 (crop:width=9,gravity=north); then flip; {PLAIN}"],
        ),
        (
            {"size": "9x9", "step": ["pad:border=2"]},
            [f"{PHOTO}; fit within 9x9 (--size), then step 2 (pad:border=2); {PLAIN}"],
        ),
        (
            {"size": "keep", "formats": ["webp:lossless=true", "keep:quality=8"]},
            [f"WebP, lossless and the source's format, quality 8, animations kept; original size; {PLAIN}"],
        ),
        (
            {"sizes": [3, 5], "formats": ["webp", "jpg"]},
            [
                f"3: WebP, quality 80 and {PHOTO}; fit within 3x (--sizes)",
                f"5: WebP, quality 80 and {PHOTO}; fit within 5x (--sizes)",
                f"each: {PLAIN}",
            ],
        ),
        (
            {"format": "tiff", "size": "keep", "depth": "keep", "color": "keep", "metadata": "keep"},
            ["TIFF; original size; original colours, up to 16 bits; all metadata"],
        ),
        (
            {"depth": "keep", "metadata": "no-gps", "size": "keep"},
            [f"{PHOTO}; original size; sRGB, 8 bits; all metadata except GPS"],
        ),
        (
            {"formats": ["jpeg", "png"], "depth": "keep", "metadata": "strip", "size": "keep"},
            [f"{PHOTO} and PNG; original size; sRGB, up to 16 bits where the format allows; no metadata"],
        ),
        (
            {"step": ["profile:name=cmyk"], "size": "keep"},
            [f"{PHOTO}; original size; then profile:name=cmyk; colours set by profile:name=cmyk, 8 bits; metadata: only credits"],
        ),
    ],
)  # fmt: skip
def test_one_line_says_what_is_made_and_where_the_size_comes_from(options, said):
    assert list(recipe_summary(resolve("in", "out", options).recipe)) == said


def test_a_rendition_of_a_recipe_says_whether_it_has_the_default_box():
    recipe = Recipe.from_toml("[[renditions]]\nname = 'a'\nsteps = ['crop:width=9']\n[[renditions]]\nname = 'b'")
    assert recipe_summary(recipe)[:2] == (
        f"a: {PHOTO}; size set by step 1 (crop:width=9)",
        f"b: {PHOTO}; fit within 1920x1920 (the default box)",
    )


def test_the_record_of_a_run_says_the_same_without_the_option():
    recipe = Recipe.from_builtins(json.loads(json.dumps(Recipe().to_builtins())))
    assert recipe_summary(recipe) == (f"{PHOTO}; fit within 1920x1920 (step 1); {PLAIN}",)
    assert "size set by step 1 (resize:" in recipe_summary(Recipe.from_builtins({"steps": ["resize:width=9,enlarge=true"]}))[0]
