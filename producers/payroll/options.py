"""The options of the payroll sources, checked. It must not read a file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.event_data import Text
from schemas.money import Amount

Split = Literal["none", "department", "location"]


class RunOptions(BaseModel):
    """Options of every payroll source.

    `entity` names the company where a document does not (else the company's own name). `split` says by what wages are
    split. `rounding_limit` is how much may be missing between the two sides of a run, in whole units of its currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    entity: Text | None = None
    split: Split = "none"
    rounding_limit: Annotated[Amount, Field(ge=0, le=1)] = Decimal(0)


class GustoOptions(RunOptions):
    """`departments` and `locations` give those of an employee's id, as a compensation does not name them.

    `external` runs were paid elsewhere and told to Gusto for the year's figures: they are ignored, or posted.
    `contractors`: whether payments to contractors are pulled, as one run a day.
    """

    departments: Mapping[str, Text] = {}
    locations: Mapping[str, Text] = {}
    external: Literal["ignore", "post"] = "ignore"
    contractors: Literal["none", "pull"] = "none"


class FinchOptions(RunOptions):
    """`departments` gives that of an individual's id, as a statement does not name it."""

    departments: Mapping[str, Text] = {}


class XeroOptions(RunOptions):
    """`product` is the country of the payroll; where it is not given it is read off the shape, or refused.

    `names` gives the category of a type's id (deductions, reimbursements, superannuation, benefits).
    """

    product: Literal["au", "nz", "uk"] | None = None
    names: Mapping[str, Text] = {}
