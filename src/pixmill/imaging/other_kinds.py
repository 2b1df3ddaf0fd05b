"""Kinds of files that no codec of pixmill reads, so that a message can say what a file is instead of what it is not.

Sources: the specifications of the formats, and the signatures of the ``file`` command. A codec or a plugin that reads a kind
declares it in its ``Format``, which comes first.
"""

from typing import NamedTuple

from pixmill.imaging.format import Format

TIFF_START = rb"(?:II\*\0|MM\0\*)"
XML_START = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,1024}?-->\s*)*"
ZIP_ENTRY = rb"PK\x03\x04.{26}"
OFFICE_PARTS = rb"(?:\[Content_Types\]|_rels/|docProps/|word/|xl/|ppt/)"
AUDIO_TAGS = rb"ID3[\x02-\x04]|fLaC|MThd|\.snd|wvpk|MAC |#!AMR"


class FileKind(NamedTuple):
    """What a file is.

    ``name`` is short, for counts: *JPEG 2000*; ``description`` completes "the file is": *a JPEG 2000 image*. ``signature`` is a
    regular expression for the first bytes. ``extensions`` are in lower case, without the dot. ``is_image`` is false for files
    that nothing shows as one picture. ``format`` is the format of the codec that reads the kind, ``None`` if there is none.
    ``package`` names the extra whose package has one.
    """

    name: str
    description: str
    extensions: tuple[str, ...] = ()
    signature: bytes = b""
    is_image: bool = True
    format: Format | None = None
    package: str = ""


def _image(name: str, extensions: str, signature: bytes) -> FileKind:
    return FileKind(name, f"{article(name)} {name} image", tuple(extensions.split()), signature)


def _raw(name: str, extensions: str, signature: bytes = b"") -> FileKind:
    return FileKind(name, f"a camera RAW image ({name})", tuple(extensions.split()), signature, package="raw")


def _other(name: str, description: str, signature: bytes) -> FileKind:
    return FileKind(name, description, (), signature, is_image=False)


def article(name: str) -> str:
    """Return the article of ``name``, whose capitals are spelled out."""
    is_spelled = name[:2].isupper()
    return "an" if name[0] in ("AEFHILMNORSX" if is_spelled else "AEIO") else "a"


#: Kinds that begin like a format which has a codec, but cannot be read as such.
LOOKALIKES = (
    FileKind("CgBI PNG", "a CgBI PNG, as Xcode rewrites them for iOS", (), rb"\x89PNG\r\n\x1a\n.{4}CgBI"),
    _image("JPEG-LS", "jls", rb"\xff\xd8\xff\xf7"),
    _raw("CR2", "cr2", TIFF_START + rb".{4}CR"),
    _raw("IIQ", "iiq", TIFF_START + rb".{4}(?:IIII|MMMM)"),
)
SVGZ = FileKind("SVGZ", "a compressed SVG drawing", ("svgz",))
OTHER_IMAGES = (
    _image("JPEG XR", "jxr wdp hdp", rb"II\xbc"),
    _image("JPEG XS", "jxs", rb"\xff\x10\xff\x50|\0\0\0\x0cJXS "),
    _image("XCF", "xcf", rb"gimp xcf"),
    _image("Krita", "kra krz", ZIP_ENTRY + rb"mimetypeapplication/x-kr"),
    _image("OpenRaster", "ora", ZIP_ENTRY + rb"mimetypeimage/openraster"),
    _image("Affinity", "afphoto afdesign af", rb"\0\xffKA"),
    _image("CLIP", "clip", rb"CSFCHUNK"),
    _image("Paint Shop Pro", "psp pspimage", rb"Paint Shop Pro Image File|~BK\0"),
    _image("CorelDRAW", "cdr", rb"RIFF.{4}CDR"),
    _image("ANI", "ani", rb"RIFF.{4}ACON"),
    _image("ICNS", "icns", rb"icns\0"),
    _image("XPM", "xpm", rb"/\* XPM|! XPM2"),
    _image("XBM", "xbm", rb"(?:/\*.{0,512}?\*/\s*)?#define\s+\w+_width"),
    _image("SGI", "sgi rgb rgba bw", rb"\x01\xda[\0\x01][\x01\x02]"),
    _image("Sun Raster", "ras sun", rb"\x59\xa6\x6a\x95"),
    _image("PCX", "pcx", rb"\x0a[\0\x02-\x05]\x01[\x01\x02\x04\x08]"),
    _image("DCX", "dcx", rb"\xb1\x68\xde\x3a"),
    _image("ILBM", "iff lbm ilbm", rb"FORM.{4}(?:ILBM|PBM |ACBM|RGB8|RGBN|DEEP)"),
    _image("OpenEXR", "exr", rb"v/1\x01"),
    _image("Radiance HDR", "hdr rgbe pic", rb"#\?R"),
    _image("DPX", "dpx", rb"SDPX|XPDS"),
    _image("Cineon", "cin", rb"\x80\x2a\x5f\xd7|\xd7\x5f\x2a\x80"),
    _image("FITS", "fits fit fts", rb"SIMPLE  =\s+T"),
    _image("DICOM", "dcm dicom", rb".{128}DICM"),
    _image("DDS", "dds", rb"DDS "),
    _image("KTX", "ktx ktx2", rb"\xabKTX [12][10]\xbb"),
    _image("PVR", "pvr", rb"PVR\x03|\x03RVP"),
    _image("ASTC", "astc", rb"\x13\xab\xa1\x5c"),
    _image("VTF", "vtf", rb"VTF\0"),
    _image("BLP", "blp", rb"BLP[12]"),
    _image("FLIF", "flif", rb"FLIF"),
    _image("BPG", "bpg", rb"BPG\xfb"),
    _image("MNG", "mng", rb"\x8aMNG"),
    _image("JNG", "jng", rb"\x8bJNG"),
    _image("FLI", "fli flc", rb".{4}[\x11\x12]\xaf.{8}[\x08\x10]\0"),
    _image("MIFF", "miff", rb"id=ImageMagick"),
    _image("WMF", "wmf", rb"\xd7\xcd\xc6\x9a|[\x01\x02]\0\x09\0\0[\x01\x03]"),
    _image("EMF", "emf", rb"\x01\0\0\0.{36} EMF"),
    FileKind("EPS", "an EPS drawing", ("eps", "epsf", "epi"), rb"%!PS-Adobe-[\d.]+ EPSF|\xc5\xd0\xd3\xc6"),
    SVGZ,
    _raw("RAF", "raf", rb"FUJIFILMCCD-RAW"),
    _raw("ORF", "orf ori", rb"II(?:RO|RS|US)|MMOR"),
    _raw("RW2", "rw2 rwl raw", rb"IIU\0"),
    _raw("CR3", "cr3", rb".{4}ftypcrx"),
    _raw("CRW", "crw", rb"II\x1a\0\0\0HEAPCCDR"),
    _raw("MRW", "mrw", rb"\0MR[MI]"),
    _raw("X3F", "x3f", rb"FOVb"),
    *(_raw(name, name.lower()) for name in ("DNG", "NEF", "NRW", "ARW", "SRF", "SR2", "PEF", "SRW", "3FR", "FFF", "MEF", "ERF")),
    *(_raw(name, name.lower()) for name in ("MOS", "KDC", "DCR", "DCS", "GPR", "BAY", "CAP", "EIP", "RWZ")),
)  # fmt: skip
OTHER_FILES = (
    FileKind("PDF", "a PDF document", (), rb"(?:\xef\xbb\xbf)?\s*%PDF-", is_image=False, package="pdf"),
    _other("DjVu", "a DjVu document", rb"AT&TFORM"),
    _other("PostScript", "a PostScript document", rb"(?:\x04|\x1b%-12345X.{0,512}?)?%!"),
    _other("web page", "a web page", XML_START + rb"<(?i:!doctype html|html|head|body)"),
    _other("XMP", "an XMP sidecar", XML_START + rb"<(?:\?xpacket|x:xmpmeta|rdf:RDF)"),
    _other("property list", "a property list", rb"bplist0|" + XML_START + rb"(?:<!DOCTYPE plist[^>]*>\s*)?<plist"),
    _other("XML", "an XML document", rb"(?:\xef\xbb\xbf)?\s*<\?xml"),
    _other("Git LFS pointer", "a Git LFS pointer, not the file that it stands for", rb"version https://git-lfs"),
    _other("AppleDouble", "an AppleDouble file, which macOS writes beside others", rb"\0\x05\x16[\0\x07]"),
    _other("Office document", "an Office document", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|" + ZIP_ENTRY + OFFICE_PARTS),
    _other("OpenDocument", "an OpenDocument file", ZIP_ENTRY + rb"mimetypeapplication/vnd\.oasis"),
    _other("EPUB", "an EPUB book", ZIP_ENTRY + rb"mimetypeapplication/epub"),
    _other("ZIP", "a ZIP archive", rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
    _other("gzip", "a gzip archive", rb"\x1f\x8b"),
    _other("7-Zip", "a 7-Zip archive", rb"7z\xbc\xaf\x27\x1c"),
    _other("RAR", "a RAR archive", rb"Rar!\x1a\x07"),
    _other("bzip2", "a bzip2 archive", rb"BZh[1-9]1AY"),
    _other("xz", "an xz archive", rb"\xfd7zXZ\0"),
    _other("Zstandard", "a Zstandard archive", rb"\x28\xb5\x2f\xfd"),
    _other("tar", "a tar archive", rb".{257}ustar"),
    _other("MP4", "an MP4 video", rb".{4}ftyp(?:isom|iso\d|mp4|avc1|M4V|dash|msnv|mmp4|f4v|XAVC)"),
    _other("audio", "an audio file", AUDIO_TAGS + rb"|.{4}ftypM4[ABP]|(?:RIFF|RF64).{4}WAVE|FORM.{4}AIF[FC]"),
    _other("3GP", "a 3GP video", rb".{4}ftyp3g"),
    _other("QuickTime", "a QuickTime video", rb".{4}(?:ftypqt  |moov|mdat|wide|free|skip|pnot)"),
    _other("video", "a video", rb".{4}ftyp"),
    _other("Matroska", "a Matroska or WebM video", rb"\x1aE\xdf\xa3"),
    _other("AVI", "an AVI video", rb"RIFF.{4}AVI "),
    _other("MPEG", "an MPEG video", rb"\0\0\x01[\xb3\xba]|\x47.{187}\x47|.{4}\x47.{191}\x47"),
    _other("Windows Media", "a Windows Media file", rb"0&\xb2u\x8ef\xcf\x11"),
    _other("Flash", "a Flash file", rb"FLV\x01|[FCZ]WS[\x01-\x40]"),
    _other("Ogg", "an Ogg file", rb"OggS"),
    _other("RealMedia", "a RealMedia file", rb"\.RMF"),
    _other("MXF", "an MXF video", rb"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
    _other("ICC profile", "an ICC profile", rb".{36}acsp"),
    _other("font", "a font", rb"OTTO\0|wOF[F2]|ttcf|\0\x01\0\0\0[\x04-\x40]"),
    _other("SQLite", "an SQLite database", rb"SQLite format 3\0"),
    _other("program", "a program", rb"MZ.{58}|\x7fELF|[\xca\xcf\xce\xfe][\xfa\xfe][\xed\xba][\xfe\xbe\xce\xcf]|#!"),
    _other("zeros", "without content: it begins with zeros only", rb"\0{64,}\Z"),
)  # fmt: skip
