"""The table of metadata: the kind of each field that is not ``OTHER``. The documentation is generated from it.

Sources: CIPA DC-008 (EXIF 3.0); IPTC-IIM 4.2; IPTC Photo Metadata Standard 2023.2; XMP specification, parts 1 and 2; PLUS; Adobe
Photoshop file formats (image resources); W3C PNG, section 11.3.3.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple

from pixmill.imaging.metadata.policy import Kind

Block = Literal["EXIF", "IPTC", "Photoshop resources", "XMP", "PNG text", "comments"]
ANY_NAMESPACE = "*"

#: Namespaces of XMP, by their usual prefix.
NAMESPACES = {
    "cc": "http://creativecommons.org/ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "HDRGainMap": "http://ns.apple.com/HDRGainMap/1.0/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GImage": "http://ns.google.com/photos/1.0/image/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
}


class Row(NamedTuple):
    """Fields of one block that have one kind.

    ``fields``: by key, the name in the documentation. The key is a tag of EXIF, a record and dataset of IPTC (``2:80``), a number
    of a resource, a regular expression for a PNG keyword or comment, or for the name of a property of XMP without prefix.
    ``prefix``: of a namespace of XMP, or ``*`` for all of them. ``note``: why, where that is not obvious.
    """

    block: Block
    kind: Kind
    fields: Mapping[int | str, str]
    prefix: str = ""
    note: str = ""


def _names(text: str) -> Mapping[int | str, str]:
    return {name: name for name in text.split()}


EXIF_POINTER, GPS_POINTER, INTEROP_POINTER, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
#: Names of properties and keywords that tell a place, in any namespace.
PLACES = (
    r".*(?:gps|latitude|longitude|longtitude|altitude).*|(?:ciadr\w*|city|state|country|countrycode|countryname|province|"
    r"provincestate|province-state|location|locationshown|locationcreated|locationname|locationid|sub-?location|worldregion|"
    r"lat|long|lon|geo(?:tag|location|name|hash)\w*)"
)
# fmt: off  # one field a line would make the table three times as long
ROWS = (
    Row(
        "EXIF",
        Kind.CREDIT,
        {0x013B: "Artist", 0x8298: "Copyright", 0x9C9D: "XPAuthor", 0xA437: "Photographer", 0xA438: "ImageEditor"},
    ),
    Row("EXIF", Kind.PLACE, {GPS_POINTER: "the GPS directory"}),
    Row("EXIF", Kind.PLACE, {MAKER_NOTE: "MakerNote"}, note="several makers write the place into it, each in its own way"),
    Row("EXIF", Kind.RESOLUTION, {0x011A: "XResolution", 0x011B: "YResolution", 0x0128: "ResolutionUnit"}),
    Row(
        "EXIF",
        Kind.GEOMETRY,
        {
            0x9214: "SubjectArea",
            0xA214: "SubjectLocation",
            0xA20E: "FocalPlaneXResolution",
            0xA20F: "FocalPlaneYResolution",
            0xA210: "FocalPlaneResolutionUnit",
        },
    ),
    Row(
        "EXIF",
        Kind.GEOREFERENCE,
        {
            0x830E: "ModelPixelScale",
            0x8480: "IntergraphMatrix",
            0x8482: "ModelTiepoint",
            0x85D8: "ModelTransformation",
            0x87AF: "GeoKeyDirectory",
            0x87B0: "GeoDoubleParams",
            0x87B1: "GeoAsciiParams",
            0xA480: "GDALMetadata",
            0xA481: "GDALNoData",
        },
        note="in a GeoTIFF",
    ),
    Row(
        "EXIF",
        Kind.STORAGE,
        {
            0x00FE: "SubfileType",
            0x00FF: "OldSubfileType",
            0x0100: "ImageWidth",
            0x0101: "ImageLength",
            0x0102: "BitsPerSample",
            0x0103: "Compression",
            0x0106: "PhotometricInterpretation",
            0x0107: "Threshholding",
            0x010A: "FillOrder",
            0x0111: "StripOffsets",
            0x0115: "SamplesPerPixel",
            0x0116: "RowsPerStrip",
            0x0117: "StripByteCounts",
            0x0118: "MinSampleValue",
            0x0119: "MaxSampleValue",
            0x011C: "PlanarConfiguration",
            0x0120: "FreeOffsets",
            0x0121: "FreeByteCounts",
            0x0122: "GrayResponseUnit",
            0x0123: "GrayResponseCurve",
            0x0124: "T4Options",
            0x0125: "T6Options",
            0x0129: "PageNumber",
            0x012D: "TransferFunction",
            0x013D: "Predictor",
            0x013E: "WhitePoint",
            0x013F: "PrimaryChromaticities",
            0x0140: "ColorMap",
            0x0141: "HalftoneHints",
            0x0142: "TileWidth",
            0x0143: "TileLength",
            0x0144: "TileOffsets",
            0x0145: "TileByteCounts",
            0x014A: "SubIFD",
            0x014C: "InkSet",
            0x014D: "InkNames",
            0x014E: "NumberOfInks",
            0x0150: "DotRange",
            0x0152: "ExtraSamples",
            0x0153: "SampleFormat",
            0x0154: "SMinSampleValue",
            0x0155: "SMaxSampleValue",
            0x015B: "JPEGTables",
            0x0200: "JPEGProc",
            0x0201: "ThumbnailOffset",
            0x0202: "ThumbnailLength",
            0x0203: "JPEGRestartInterval",
            0x0205: "JPEGLosslessPredictors",
            0x0206: "JPEGPointTransforms",
            0x0207: "JPEGQTables",
            0x0208: "JPEGDCTables",
            0x0209: "JPEGACTables",
            0x0211: "YCbCrCoefficients",
            0x0212: "YCbCrSubSampling",
            0x0214: "ReferenceBlackWhite",
            0x02BC: "XMP",
            0x83BB: "IPTC",
            0x8649: "PhotoshopSettings",
            0x8773: "ICC_Profile",
            0x935C: "ImageSourceData",
            0x9101: "ComponentsConfiguration",
            0x9102: "CompressedBitsPerPixel",
            0xA500: "Gamma",
            INTEROP_POINTER: "the interoperability directory",
        },
        note="XMP, IPTC and profiles travel in their own places",
    ),
    Row(
        "IPTC",
        Kind.CREDIT,
        {
            "1:90": "CodedCharacterSet",
            "2:0": "ApplicationRecordVersion",
            "2:80": "By-line",
            "2:85": "By-lineTitle",
            "2:110": "Credit",
            "2:115": "Source",
            "2:116": "CopyrightNotice",
        },
        note="the first two say how the others are to be read, and go if these do",
    ),
    Row(
        "IPTC",
        Kind.PLACE,
        {
            "2:26": "ContentLocationCode",
            "2:27": "ContentLocationName",
            "2:90": "City",
            "2:92": "Sub-location",
            "2:95": "Province-State",
            "2:100": "CountryCode",
            "2:101": "CountryName",
        },
    ),
    Row(
        "IPTC",
        Kind.STORAGE,
        {
            "2:200": "ObjectPreviewFileFormat",
            "2:201": "ObjectPreviewFileVersion",
            "2:202": "ObjectPreviewData",
            "3:*": "the newsphoto record",
            "7:*": "the pre-object record",
            "8:*": "the object record",
            "9:*": "the post-object record",
        },
    ),
    Row("Photoshop resources", Kind.CREDIT, {0x040A: "CopyrightFlag", 0x040B: "URL"}),
    Row("Photoshop resources", Kind.STORAGE, {"*": "all others: thumbnails, paths, settings"}),
    Row("XMP", Kind.CREDIT, _names("creator rights publisher contributor"), prefix="dc"),
    Row("XMP", Kind.CREDIT, {".*": "all"}, prefix="xmpRights"),
    Row("XMP", Kind.CREDIT, _names("Credit Source AuthorsPosition"), prefix="photoshop"),
    Row("XMP", Kind.CREDIT, _names("Artist Copyright"), prefix="tiff"),
    Row("XMP", Kind.CREDIT, _names("Photographer ImageEditor"), prefix="exifEX"),
    Row("XMP", Kind.CREDIT, _names("license attributionName attributionURL morePermissions useGuidelines"), prefix="cc"),
    Row(
        "XMP",
        Kind.CREDIT,
        _names("CreatorContactInfo CiUrlWork"),
        prefix="Iptc4xmpCore",
        note="of the creator's contact details only the URL",
    ),
    Row(
        "XMP",
        Kind.CREDIT,
        _names(
            "CopyrightOwner CopyrightOwnerName CopyrightOwnerID ImageCreator ImageCreatorName ImageCreatorID ImageSupplier"
            " ImageSupplierName ImageSupplierID Licensor LicensorName LicensorID LicensorURL LicenseID LicenseeName"
            " CopyrightStatus CopyrightRegistrationNumber CreditLineRequired DataMining OtherConstraints OtherLicenseConditions"
            " TermsAndConditionsText TermsAndConditionsURL Reuse"
        ),
        prefix="plus",
    ),
    Row("XMP", Kind.PLACE, {PLACES: "every property whose name tells a place: GPS, latitude, city, country ..."}, prefix="*"),
    Row("XMP", Kind.RESOLUTION, _names("XResolution YResolution ResolutionUnit"), prefix="tiff"),
    Row("XMP", Kind.GEOMETRY, _names("SubjectArea SubjectLocation FocalPlane.*"), prefix="exif"),
    Row("XMP", Kind.GEOMETRY, {".*": "all"}, prefix="mwg-rs", note="regions, such as faces"),
    Row("XMP", Kind.GEOMETRY, _names("RegionInfo"), prefix="MP"),
    Row("XMP", Kind.GEOMETRY, _names("ImageRegion"), prefix="Iptc4xmpExt"),
    Row("XMP", Kind.GEOMETRY, _names(".*Pixels"), prefix="GPano"),
    Row(
        "XMP",
        Kind.STORAGE,
        _names(
            "Orientation ImageWidth ImageLength BitsPerSample Compression PhotometricInterpretation SamplesPerPixel"
            " PlanarConfiguration YCbCrSubSampling YCbCrPositioning YCbCrCoefficients TransferFunction WhitePoint"
            " PrimaryChromaticities ReferenceBlackWhite NativeDigest"
        ),
        prefix="tiff",
    ),
    Row(
        "XMP",
        Kind.STORAGE,
        _names("PixelXDimension PixelYDimension ColorSpace ComponentsConfiguration CompressedBitsPerPixel Gamma NativeDigest"),
        prefix="exif",
    ),
    Row("XMP", Kind.STORAGE, _names("Gamma InteroperabilityIndex"), prefix="exifEX"),
    Row("XMP", Kind.STORAGE, _names("format"), prefix="dc"),
    Row("XMP", Kind.STORAGE, _names("Thumbnails"), prefix="xmp"),
    Row("XMP", Kind.STORAGE, _names("HasExtendedXMP"), prefix="xmpNote"),
    Row("XMP", Kind.STORAGE, _names("ColorMode ICCProfile LegacyIPTCDigest"), prefix="photoshop"),
    Row("XMP", Kind.STORAGE, _names("MicroVideo.* MotionPhoto.*"), prefix="GCamera"),
    *(
        Row("XMP", Kind.STORAGE, {".*": "all"}, prefix=prefix)
        for prefix in ("hdrgm", "HDRGainMap", "Container", "GDepth", "GImage")
    ),
    Row("PNG text", Kind.CREDIT, _names("Author Copyright Disclaimer")),
    Row("PNG text", Kind.PLACE, {rf"(?:\w+:)?(?:{PLACES})": "every keyword whose name tells a place"}),
    Row(
        "PNG text",
        Kind.STORAGE,
        {
            r"(?:png|jpeg|thumb|thumbnail|icc|photoshop)::?.*": "png:*, jpeg:*, Thumb::*, icc:*, photoshop:*",
            r"exif:.*(?:orientation|dimension|width|length|colorspace|resolution|offset|interoperab|thumbnail|compress).*": (
                "exif:* about the pixels"
            ),
            r"Raw profile type .*|XML:com\.adobe\.xmp": "packed EXIF, IPTC, XMP and profiles",
        },
        note="what is packed travels in its own place",
    ),
    Row(
        "comments",
        Kind.STORAGE,
        {r"(?:CREATOR: gd-jpeg|Lavc\d|LEAD Technologies|Compressed by jpeg-recompress).*": "those of encoders about themselves"},
    ),
)
# fmt: on


def exif_kind(tag: int) -> Kind:
    """Return the kind of an entry of EXIF; its maker note and pointers to directories count as entries."""
    return _by_key("EXIF").get(tag, Kind.OTHER)


def iptc_kind(record: int, dataset: int) -> Kind:
    """Return the kind of a dataset of IPTC."""
    kinds = _by_key("IPTC")
    return kinds.get(f"{record}:{dataset}") or kinds.get(f"{record}:*", Kind.OTHER)


def resource_kind(number: int) -> Kind:
    """Return the kind of an image resource of Photoshop."""
    return _by_key("Photoshop resources").get(number, Kind.STORAGE)


@cache
def xmp_kind(namespace: str, name: str) -> Kind:
    """Return the kind of a property of XMP. A namespace that is named in the table counts before a name in any of them."""
    rows = sorted(
        (row for row in ROWS if row.block == "XMP"), key=lambda row: (row.prefix == ANY_NAMESPACE, row.kind is not Kind.STORAGE)
    )
    for row in rows:
        if row.prefix == ANY_NAMESPACE or NAMESPACES[row.prefix] == namespace:
            flags = re.IGNORECASE if row.prefix == ANY_NAMESPACE else re.NOFLAG
            if any(re.fullmatch(str(pattern), name, flags) for pattern in row.fields):
                return row.kind
    return Kind.OTHER


@cache
def keyword_kind(keyword: str) -> Kind:
    """Return the kind of a text of PNG, by its keyword."""
    return _by_pattern("PNG text", keyword)


def comment_kind(comment: bytes) -> Kind:
    """Return the kind of a comment."""
    return _by_pattern("comments", comment[:200].decode("latin-1"))


def _by_pattern(block: Block, text: str) -> Kind:
    rows = (row for row in ROWS if row.block == block)
    found = (row.kind for row in rows if any(re.fullmatch(str(key), text, re.IGNORECASE | re.DOTALL) for key in row.fields))
    kinds = list(found)
    return Kind.STORAGE if Kind.STORAGE in kinds else next(iter(kinds), Kind.OTHER)


@cache
def _by_key(block: Block) -> Mapping[int | str, Kind]:
    return dict(_keys(block))


def _keys(block: Block) -> Iterator[tuple[int | str, Kind]]:
    for row in ROWS:
        if row.block == block:
            yield from ((key, row.kind) for key in row.fields)
