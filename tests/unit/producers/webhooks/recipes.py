"""The recipes of the documents: options and an example of each."""

import re
import tomllib
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parents[4] / "docs" / "feeds" / "recipes.md"


def recipe(title: str, page: str = "feeds/recipes.md") -> tuple[bytes, str, dict[str, Any]]:
    """The example of one recipe, a page, and the recipe's options."""
    [text] = re.findall(
        rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", RECIPES.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    [options] = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    [example] = re.findall(r"^```(?:json|csv)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return example.encode(), page, tomllib.loads(options)
