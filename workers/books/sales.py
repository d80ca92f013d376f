"""`[sales]` of `books.toml`: how sales are booked. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from workers.books.payroll import Name


class SalesPolicy(BaseModel):
    """How sales are booked.

    `taxed`: a sale is posted once its tax is told, and one whose tax nobody tells comes before a person; else it is
    posted at once, and tax is split off when it is told. `tax_codes`: the account of a tax rate of the
    processor, where it is not that of `sales_tax_payable`. `items`: Solid's item, or its SKU, of a price or product of
    the processor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    taxed: bool = False
    tax_codes: Mapping[str, Name] = {}
    items: Mapping[str, Name] = {}
