"""Mappings that come with the relay: TOML files of a package, by the name of the provider."""

import tomllib
from importlib.resources import files
from typing import Any


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
