"""XMP is filtered by property, whatever its form, and what stays keeps its bytes."""

import pytest

from pixmill.imaging.metadata import xmp, xmp_extended
from pixmill.imaging.metadata.policy import travelling
from pixmill.imaging.metadata.table import xmp_kind

PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="program">
<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" xmlns:q="http://purl.org/dc/elements/1.1/"
 xmlns:p='http://ns.useplus.org/ldf/xmp/1.0/' xmlns:s="http://ns.adobe.com/photoshop/1.0/"
 s:Credit='A &quot;B&quot;' s:City="Paris">{}</r:Description></r:RDF></x:xmpmeta>{}<?xpacket end="w"?>"""
CREATOR = "<q:creator><r:Seq><r:li>José &amp; 写真家</r:li></r:Seq></q:creator>"
LICENSOR = (
    "<p:Licensor><r:Bag><r:li r:parseType='Resource'><p:LicensorName>Agency</p:LicensorName>"
    "<p:LicensorEmail>a@example.org</p:LicensorEmail></r:li></r:Bag></p:Licensor>"
)
TITLE = "<q:title><r:Alt><r:li xml:lang='x-default'>secret</r:li></r:Alt></q:title>"


def filtered(packet, policy):
    return xmp.filtered(packet.encode(), xmp.by_kind(travelling(policy, is_resampled=True, is_same_grid=False))).decode()


def test_credits_stay_as_they_are_written_and_the_rest_goes():
    kept = filtered(PACKET.format(CREATOR + LICENSOR + TITLE, " " * 2000), "copyright")
    assert CREATOR in kept
    assert "s:Credit='A &quot;B&quot;'" in kept
    assert "<p:LicensorName>Agency</p:LicensorName>" in kept
    assert not [word for word in ("secret", "Paris", "example.org", "program", " " * 100) if word in kept]
    xmp.parse(kept.encode())


def test_no_gps_takes_the_place_only():
    packet = PACKET.format(CREATOR + LICENSOR + TITLE, "")
    assert filtered(packet, "no-gps") == packet.replace(' s:City="Paris"', "").replace("<?xpacket end", "\n<?xpacket end")


def test_all_of_a_packet_is_the_packet():
    packet = PACKET.format(CREATOR, " " * 2000)
    assert filtered(packet, "keep") == packet


def test_declarations_that_nothing_uses_go():
    kept = filtered(PACKET.format(CREATOR, ""), "copyright")
    assert "xmlns:p=" not in kept
    assert "xmlns:q=" in kept


@pytest.mark.parametrize(
    "packet",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>' + PACKET.format("&a;", ""),
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">' + PACKET.format("", ""),
        PACKET.format("<q:a>" * 100 + "</q:a>" * 100, ""),
        PACKET.format("<undeclared:a/>", ""),
        PACKET.format("<q:a>", ""),
        "",
    ],
)
def test_what_is_no_xml_or_is_not_safe_is_refused(packet):
    with pytest.raises(xmp.Broken):
        xmp.parse(packet.encode())


def test_sixteen_bits_per_letter_become_utf_8():
    kept = xmp.filtered(PACKET.format(CREATOR, "").encode("utf-16"), lambda *_: True)
    assert "写真家".encode() in kept


def test_long_packets_are_divided_and_joined_again():
    long = "<s:Instructions>" + "x" * 90_000 + "</s:Instructions>"
    packet = PACKET.format(CREATOR + long, "").encode()
    divided = xmp_extended.divided(packet)
    assert len(divided.main) <= xmp_extended.MAX_PACKET
    assert CREATOR.encode() in divided.main
    joined = xmp_extended.joined(divided.main, divided.extension)
    names = {(each.namespace, each.name) for each in xmp.parse(packet).properties}
    assert {(each.namespace, each.name) for each in xmp.parse(joined).properties} >= names


@pytest.mark.parametrize("name", ["GpsLatitude", "GPSAltitude", "CountryName", "Sublocation", "CiAdrCity", "LocationShown"])
def test_a_name_that_tells_a_place_does_so_in_any_namespace(name):
    assert xmp_kind("http://example.org/", name).name == "PLACE"


@pytest.mark.parametrize("name", ["Statement", "Capacity", "Relocation", "Longest", "Geometry"])
def test_other_names_do_not(name):
    assert xmp_kind("http://example.org/", name).name == "OTHER"


def test_an_extension_brings_the_namespaces_that_it_declares_around_its_content():
    rdf = '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" {}><r:Description r:about=""><{}/></r:Description></r:RDF>'
    main, extension = rdf.format('xmlns:a="http://a/"', "a:one"), rdf.format('xmlns:b="http://b/"', "b:two")
    joined = xmp_extended.joined(main.encode(), extension.encode())
    assert [(each.namespace, each.name) for each in xmp.parse(joined).properties] == [("http://a/", "one"), ("http://b/", "two")]
    with pytest.raises(xmp.Broken):
        xmp_extended.joined(main.encode(), rdf.format('xmlns:a="http://other/"', "a:two").encode())
