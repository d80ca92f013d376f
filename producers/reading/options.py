"""The settings of a source, checked by its model: a refusal names the setting at fault, and not what it holds."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from producers.normalising import Rejected
from schemas.problems import first_problem

O = TypeVar("O", bound=BaseModel)  # noqa: E741


def read_options(model: type[O], options: Mapping[str, Any]) -> O:
    """Check the settings of a source. Raises Rejected: `bad_options`, naming the first setting at fault."""
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        problem = first_problem(error, under="options")
    message = "there is no such option" if problem.kind == "extra_forbidden" else problem.message
    raise Rejected("bad_options", message, field=problem.field)
