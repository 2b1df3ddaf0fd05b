"""Judges of jobs that say which pictures are taken: patterns, lists, archives, buckets, links."""

import os
import subprocess
import sys

import numpy as np
from PIL import Image
from tests.cli.everyday.judging import ALL, Judges

from support.psd_files import psd
from support.web_server import Answer, serving

judges = Judges()

#: writes what S3 does for an inventory of the bucket into it
WRITE_INVENTORY = """
import gzip, json
from urllib.parse import quote_plus
from pixmill.storage.open import open_storage
bucket = open_storage("s3://photos")
entries = [entry for listing in bucket.list() for entry in listing]
rows = [f'"photos","{quote_plus(entry.path, safe="/")}","{entry.size}","{entry.version.decode()}"\\n' for entry in entries]
bucket.write(b"inventory/data/1.csv.gz", gzip.compress("".join(rows).encode()), durable=True)
manifest = {"sourceBucket": "photos", "destinationBucket": "arn:aws:s3:::photos", "fileFormat": "CSV"}
manifest |= {"fileSchema": "Bucket, Key, Size, ETag", "files": [{"key": "inventory/data/1.csv.gz"}]}
bucket.write(b"inventory/manifest.json", json.dumps(manifest).encode(), durable=True)
"""


@judges("Only the PNGs")
def only_pngs(desk):
    desk.type()
    assert desk.made() == {"logo.jpg"}


@judges("Leave out the folder drafts")
def without_drafts(desk):
    desk.type()
    assert desk.made() == ALL - {"drafts/IMG_0003.jpg"}


@judges("Only the folder 2026")
def only_2026(desk):
    desk.type()
    assert desk.made() == {"2026/IMG_0002.jpg"}


@judges("Leave out icons and banners")
def without_icons(desk):
    Image.new("RGB", (64, 64)).save(desk.folder / "photos" / "icon.png")
    Image.new("RGB", (3000, 300)).save(desk.folder / "photos" / "banner.png")
    desk.type()
    assert desk.made("out") == ALL


@judges("One picture")
def one_picture(desk):
    desk.type()
    picture = desk.open("thumb.webp")
    assert (picture.format, picture.size) == ("WEBP", (320, 213))


@judges("These pictures")
def these_pictures(desk):
    desk.type()
    assert desk.made() == {"photo.jpg", "other.jpg"}


@judges("Two cards of a camera into one folder")
def two_cards(desk):
    desk.type()
    assert desk.made("album") == {"cardA/DCIM/IMG_0001.jpg", "cardB/DCIM/IMG_0001.jpg"}


@judges("A zip")
def a_zip(desk):
    desk.type()
    assert desk.made() == {"trip/a.jpg", "trip/b.jpg"}


@judges("A list from find")
def from_find(desk):
    Image.new("RGB", (40, 40)).save(desk.folder / "photos" / "tiny.jpg")
    desk.type()
    assert desk.made() == {"photos/IMG_0001.jpg", "photos/drafts/IMG_0003.jpg"}


@judges("A CSV of addresses")
def addresses(desk):
    with serving({"/2026/a.jpg": Answer((desk.folder / "photo.jpg").read_bytes())}) as server:
        (desk.folder / "addresses.csv").write_text(f"label,image_url\nfirst,{server.url}/2026/a.jpg\n")
        desk.type(PIXMILL_ALLOW_PRIVATE_HOSTS="true")
        assert len(server.asked) == 1
    (name,) = desk.made()
    assert name.startswith("127.0.0.1")
    assert name.endswith("/2026/a.jpg")


@judges("A bucket")
def a_bucket(desk):
    desk.environment["XDG_STATE_HOME"] = str(desk.folder / "states")
    desk.run("pixmill run photos s3://photos/2026 --format keep --size keep")
    desk.type()
    desk.run("pixmill run s3://photos/thumbs back --size keep")
    assert desk.made("back") == ALL
    assert desk.size("back/IMG_0001.jpg") == (400, 267)


@judges("A bucket of a hundred million pictures, from its S3 Inventory")
def an_inventory(desk):
    desk.environment["XDG_STATE_HOME"] = str(desk.folder / "states")
    for folder in ("photos/2025", "photos/2024"):  # another job uses 2026
        desk.run(f"pixmill run photos s3://{folder} --format keep --size keep")
    subprocess.run([sys.executable, "-c", WRITE_INVENTORY], env={**os.environ, **desk.environment}, check=True)
    desk.type()
    assert desk.made() == {f"2025/{name}" for name in ALL}
    assert desk.size("web/2025/IMG_0001.jpg") == (400, 267)


@judges("Files without an extension")
def without_extension(desk):
    desk.type()
    (name,) = desk.made()
    assert desk.open(f"web/{name}").format == "JPEG"
    assert name == "0a1b2c.jpg"


@judges("Photoshop, JPEG 2000 and other formats that browsers do not show")
def other_formats(desk):
    noise = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    (desk.folder / "masters").mkdir()
    (desk.folder / "masters/poster.psd").write_bytes(psd([noise[..., band] for band in range(3)], mode=3, packed=True))
    Image.fromarray(noise).save(desk.folder / "masters/scan.jp2")
    Image.fromarray(noise).save(desk.folder / "masters/texture.tga")
    desk.type()
    assert desk.made() == {"poster.jpg", "scan.jpg"}
    assert desk.size("web/poster.jpg") == (60, 40)


@judges("Linked files and folders")
def linked(desk):
    desk.type()
    assert desk.made() == {"one.jpg", "year/IMG_0002.jpg"}
