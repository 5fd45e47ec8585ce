"""XMP packets: ours, and ours within one that is there already."""

import re
from hashlib import md5
from typing import NamedTuple

from kontext_cli.metadata.record import Provenance

OURS = "https://pypi.org/project/kontext-cli/ns/1.0/"
"""The namespace of our record."""

_NAMESPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "kontext": OURS,
}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_END_OF_RDF = b"</rdf:RDF>"
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_JSON = re.compile("[\x7f\ufffe\uffff]")


class Packets(NamedTuple):
    """The XMP of an image: the packet itself and, where that would be too long, what it refers to
    by the ``guid``."""

    main: bytes
    extended: bytes = b""
    guid: bytes = b""


def packet(provenance: Provenance, *, with_record: bool) -> bytes:
    """All in one packet."""
    return _wrapped(_document(_description(_properties(provenance, with_record=with_record))))


def packets(provenance: Provenance, *, most: int) -> Packets:
    """In a packet of at most ``most`` bytes, with the prompt and the record outside if need be."""
    whole = packet(provenance, with_record=True)
    if len(whole) <= most:
        return Packets(whole)
    mark = _properties(provenance._replace(prompt=None, record=None), with_record=False)
    rest = _properties(provenance, with_record=True)
    extended = _document(_description({name: rest[name] for name in rest if name not in mark}))
    guid = md5(extended, usedforsecurity=False).hexdigest().upper()
    mark["xmpNote:HasExtendedXMP"] = guid
    return Packets(_wrapped(_document(_description(mark))), extended, guid.encode())


def merged(existing: bytes, provenance: Provenance, *, with_record: bool) -> bytes | None:
    """A packet with our properties at its end, but for those that it has; None where there is no
    telling how to put them in."""
    if existing.count(_END_OF_RDF) != 1 or _RDF.encode() not in existing:
        return None
    ours = {
        name: value
        for name, value in _properties(provenance, with_record=with_record).items()
        if name.rpartition(":")[2].encode() not in existing
    }
    before, end, after = existing.partition(_END_OF_RDF)
    return before + _description(ours) + end + after if ours else existing


def refers_to_c2pa(existing: bytes) -> bool:
    """Whether a packet names a signed manifest that lies elsewhere."""
    return b"provenance" in existing and b"http://purl.org/dc/terms/" in existing


def _properties(provenance: Provenance, *, with_record: bool) -> dict[str, str]:
    values = {
        "Iptc4xmpExt:DigitalSourceType": provenance.source_type,
        "Iptc4xmpExt:AISystemUsed": provenance.system,
        "xmp:CreatorTool": provenance.tool,
        "Iptc4xmpExt:AIPromptInformation": provenance.prompt,
        "kontext:Record": _json_in_xml(provenance.record) if with_record else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _description(properties: dict[str, str]) -> bytes:
    prefixes = dict.fromkeys(name.partition(":")[0] for name in properties)
    declared = "".join(f' xmlns:{each}="{_NAMESPACES[each]}"' for each in prefixes)
    elements = "".join(f"<{name}>{_escaped(each)}</{name}>" for name, each in properties.items())
    return f'<rdf:Description rdf:about=""{declared}>{elements}</rdf:Description>'.encode()


def _document(description: bytes) -> bytes:
    rdf = f'<rdf:RDF xmlns:rdf="{_RDF}">'.encode()
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + rdf + description + _END_OF_RDF + b"</x:xmpmeta>"
    )


def _wrapped(document: bytes) -> bytes:
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
    return begin + document + b'<?xpacket end="w"?>'


def _escaped(text: str) -> str:
    """Text as the content of an element, with a mark for each character that XML cannot have."""
    return _NOT_XML.sub("\ufffd", text).translate(_ESCAPES)


def _json_in_xml(text: str | None) -> str | None:
    """JSON that is the same again once it went through XML."""
    return text and _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
