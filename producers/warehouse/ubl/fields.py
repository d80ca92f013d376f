"""Reading the fields of a UBL document, by their exact namespaces: every refusal names the field.

It must not know any kind of document.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from producers.drafts import must_be_in
from producers.normalising import Rejected
from producers.reading.numbers import quantity_from
from producers.reading.texts import clean
from producers.reading.xml_tree import Element

_BASIC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_AGGREGATE: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"


@dataclass(frozen=True, slots=True)
class UblNode:
    """An element of a UBL document, and the dotted path that leads to it."""

    element: Element = field(repr=False)
    path: str = ""

    @property
    def line(self) -> int:
        """The line of the file it stands on."""
        return self.element.line

    def at(self, *path: str) -> str:
        """Name the dotted path of a field inside."""
        return ".".join((*((self.path,) if self.path else ()), *path))

    def nodes(self, name: str) -> Iterator["UblNode"]:
        """Give the aggregates of this name."""
        return (UblNode(child, self.at(name)) for child in self.element.all(_AGGREGATE, name))

    def text(self, *path: str) -> str | None:
        """Give the text of the first field at the end of the path; None when absent or empty."""
        *inside, last = path
        found: Element | None = self.element
        for name in inside:
            found = found.first(_AGGREGATE, name) if found else None
        basic = found.first(_BASIC, last) if found else None
        return clean(basic.text) if basic else None

    def must(self, name: str) -> str:
        """Give the text of a field. Raises Rejected: `missing_field`."""
        found = self.text(name)
        if found is None:
            raise Rejected("missing_field", "needed, and missing", field=self.at(name))
        return found

    def must_quantity(self, name: str) -> tuple[Decimal, str | None]:
        """Give a quantity that must be there, and its unit.

        Raises Rejected: `missing_quantity`, `bad_quantity`, `negative_quantity`.
        """
        found = self.element.first(_BASIC, name)
        number = quantity_from(found.text if found else None, field=self.at(name))
        if number < 0:
            raise Rejected("negative_quantity", "the quantity is negative", field=self.at(name))
        return number, clean(found.attributes.get("unitCode")) if found else None

    def quantity(self, name: str, unit: str | None) -> Decimal | None:
        """Give a quantity in the line's unit; None without.

        Raises Rejected: `bad_quantity`, and `units_differ` where its unit is another.
        """
        if self.element.first(_BASIC, name) is None:
            return None
        number, own = self.must_quantity(name)
        must_be_in(own, unit, field=self.at(name))
        return number

    def party(self, *names: str) -> str | None:
        """Give one id of the first of these parties that has any: its own, else what the customer calls it."""
        return next((found[0] for name in names if (found := self._ids(name))), None)

    def party_ids(self, *names: str) -> frozenset[str]:
        """Give all ids of these parties."""
        return frozenset(found for name in names for found in self._ids(name))

    def _ids(self, name: str) -> tuple[str, ...]:
        found: list[str | None] = []
        for role in self.nodes(name):
            for company in role.nodes("Party"):
                found += [identification.text("ID") for identification in company.nodes("PartyIdentification")]
                found.append(company.text("EndpointID"))
            found += [role.text("CustomerAssignedAccountID"), role.text("SupplierAssignedAccountID")]
        return tuple(text for text in found if text)
