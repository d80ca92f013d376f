"""The settings of a source, checked by its model, and the mappings that come with the relay, as files of a package."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from producers.normalising import Rejected
from schemas.problems import first_problem

O = TypeVar("O", bound=BaseModel)  # noqa: E741


def read_options(model: type[O], options: Mapping[str, Any]) -> O:
    """Check the settings of a source.

    Raises Rejected: `bad_options`, naming the first setting at fault, and not what it holds.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        problem = first_problem(error, under="options")
    message = "there is no such option" if problem.kind == "extra_forbidden" else problem.message
    raise Rejected("bad_options", message, field=problem.field)


def providers(package: str) -> tuple[str, ...]:
    """Give the names of the mappings of a package, in their order."""
    names = (entry.name for entry in (files(package) / "mappings").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def shipped(package: str, provider: str) -> dict[str, Any]:
    """Give the mapping of a provider. Raises ValueError, with the names that there are."""
    if provider not in providers(package):
        msg = f"there is none of this name; there are {', '.join(providers(package))}"
        raise ValueError(msg)
    return tomllib.loads((files(package) / "mappings" / f"{provider}.toml").read_text(encoding="utf-8"))
