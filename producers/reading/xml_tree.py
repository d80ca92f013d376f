"""An XML document as a tree of elements, read with expat so that nothing outside the document is ever looked at.

It must not resolve anything: a document type, an entity or an external reference is refused at its first sight.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat  # every door to entities is shut below

from producers.normalising import Rejected

_SEPARATOR: Final = "\n"
_DEEPEST: Final = 64
_MOST: Final = 500_000
MOST_ATTRIBUTES: Final = 100
"""Attributes of one element; UBL has ten."""

MOST_NAMESPACES: Final = 100


@dataclass(slots=True)
class Element:
    """One element: its namespace, its local name, and the line it stands on. Mixed content is one text."""

    namespace: str
    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element]" = field(default_factory=list)
    text: str = ""

    def all(self, namespace: str, name: str) -> Iterator["Element"]:
        """Give the children of this name."""
        return (child for child in self.children if child.name == name and child.namespace == namespace)

    def first(self, namespace: str, name: str) -> "Element | None":
        """Give the first child of this name; None without."""
        return next(self.all(namespace, name), None)


def parse_xml(raw: bytes) -> Element:
    """Give the root element.

    Raises Rejected: `xml_entities` for a document type, an entity or an external reference, `not_xml` for what is no
    XML or nested too deep, `too_large` past half a million elements, or a hundred attributes of one or namespaces of
    all.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    for door in ("StartDoctypeDecl", "EntityDecl", "UnparsedEntityDecl", "ExternalEntityRef", "SkippedEntity"):
        setattr(parser, f"{door}Handler", _refuse)
    parser.StartElementHandler = lambda name, attributes: reader.start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = reader.end
    parser.StartNamespaceDeclHandler = reader.declare
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(raw, True)  # noqa: FBT003  (expat takes no keyword)
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
            _refuse()
        why = expat.ErrorString(error.code)
        message = (
            f"this is no XML from line {error.lineno}, column {error.offset} on ({why}): "
            "was it cut, are there two documents, or is it written in another encoding than it says?"
        )
        raise Rejected("not_xml", message) from None
    except (ValueError, LookupError):
        raise Rejected("not_xml", "its encoding is not known here, or it has other bytes") from None
    return reader.document.children[0]


def _refuse(*_: object) -> NoReturn:
    message = "XML with a document type, an entity or an external reference is not read: deliver it without"
    raise Rejected("xml_entities", message)


class _Reader:
    """The elements that are open, the document itself first."""

    def __init__(self) -> None:
        self.document = Element("", "", 0)
        self._open = [self.document]
        self._text: list[list[str]] = []
        self._count = 0
        self._declared = 0

    def declare(self, *_: str | None) -> None:
        self._declared += 1
        if self._declared > MOST_NAMESPACES:
            raise Rejected("too_large", f"it declares more than {MOST_NAMESPACES} namespaces")

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        if len(self._open) > _DEEPEST:
            raise Rejected("not_xml", f"its elements are nested more than {_DEEPEST} deep")
        self._count += 1
        if self._count > _MOST:
            raise Rejected("too_large", f"it has more than {_MOST} elements: split it")
        if len(attributes) > MOST_ATTRIBUTES:
            raise Rejected("too_large", f"an element has more than {MOST_ATTRIBUTES} attributes")
        namespace, _, local = name.rpartition(_SEPARATOR)
        element = Element(namespace, local, line, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._text.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._text.pop())

    def characters(self, text: str) -> None:
        self._text[-1].append(text)
