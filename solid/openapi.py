"""Comparing an OpenAPI document with what the dialect will send: problems in plain words, nothing raised.

Reads only what the document says: where it is silent there is no problem. It must not call Solid.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_DEEPEST = 20
_ALIKE = 0.6
_NO_MONEY = ("quantity",)
_JSON_TYPES = ("integer", "number", "string")

BodyFields = Mapping[str, "BodyFields | str | None"]
"""Body fields by name: a mapping is an object or a list of objects, a text the JSON type sent, None any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One operation the relay uses: path with prefix, keys of the payload, body fields, query parameters."""

    method: str
    path: str
    payload_keys: tuple[str, ...]
    body: BodyFields = field(default_factory=dict)
    query: tuple[str, ...] = ()


def problems(document: Mapping[str, object], expectations: tuple[Expectation, ...]) -> list[str]:
    """Say what the document does not offer: one sentence each, empty when all is well."""
    paths = _paths(document)
    if not paths:
        return ["the OpenAPI document lists no paths: is solid.base_url the address of Solid's API?"]
    problems: list[str] = []
    for wanted in expectations:
        sentences = _operation_problems(document, paths, wanted)
        problems.extend(sentence for sentence in sentences if sentence not in problems)
    return problems


def lists_paths(document: Mapping[str, object], *wanted: str) -> bool:
    """Whether the document lists each of these paths, with their prefix; without any, whether it lists some at all."""
    paths = _paths(document)
    return all(path in paths for path in wanted) if wanted else bool(paths)


def adjustment_paths(document: Mapping[str, object]) -> list[str]:
    """Name the paths that look as if stock were adjusted there by POST; without parameters in the path."""
    looks_so = re.compile(r"(inventory|stock|item|quantity)s?[/_-]?adjustment", re.IGNORECASE)
    paths = _object(document.get("paths"))
    return sorted(
        path for path, item in paths.items() if looks_so.search(path) and "{" not in path and "post" in _object(item)
    )


def _paths(document: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    servers = [str(_object(server).get("url", "")) for server in _list(document.get("servers"))]
    prefixes = ["", *(urlsplit(url).path.rstrip("/") for url in servers)]
    return {
        prefix + path: _object(item) for prefix in prefixes for path, item in _object(document.get("paths")).items()
    }


def _operation_problems(
    document: Mapping[str, object], paths: Mapping[str, Mapping[str, object]], wanted: Expectation
) -> Iterator[str]:
    item = paths.get(wanted.path)
    if item is None:
        yield f"no path {wanted.path}{_nearest(wanted.path, paths)}"
        return
    if wanted.method.lower() not in item:
        yield f"{wanted.path} has no {wanted.method}"
        return
    operation = _object(item[wanted.method.lower()])
    where = f"{wanted.method} {wanted.path}"
    yield from _query_problems(document, [*_list(item.get("parameters")), *_list(operation.get("parameters"))], wanted)
    body = _object(_resolve(document, operation.get("requestBody")))
    yield from _field_problems(document, _json_schema(body), wanted.body, where=where)
    yield from _payload_problems(document, operation, wanted.payload_keys, where=where)


def _query_problems(document: Mapping[str, object], parameters: list[object], wanted: Expectation) -> Iterator[str]:
    names = [str(_object(_resolve(document, parameter)).get("name")) for parameter in parameters]
    for name in wanted.query:
        if names and name not in names:
            yield f"GET {wanted.path} has no query parameter {name}{_nearest(name, names)}"


def _field_problems(document: Mapping[str, object], schema: object, wanted: BodyFields, *, where: str) -> Iterator[str]:
    properties = _properties(document, schema)
    for name, expected in wanted.items():
        if not properties:
            return
        if name not in properties:
            yield f"{where} takes no field {name}{_nearest(name, properties)}"
        elif isinstance(expected, str):
            types = _types(document, properties[name])
            if types and expected not in types:
                hint = "" if name in _NO_MONEY else ": see solid.dialect.money"
                yield f"{where} takes {name} as {' or '.join(sorted(types))}, the dialect sends {expected}{hint}"
        elif expected is not None:
            inner = _resolve(document, properties[name])
            yield from _field_problems(
                document, _object(inner).get("items", inner), expected, where=f"{where} ({name})"
            )


def _payload_problems(
    document: Mapping[str, object], operation: Mapping[str, object], keys: tuple[str, ...], *, where: str
) -> Iterator[str]:
    for status, answer in _object(operation.get("responses")).items():
        if not str(status).startswith("2"):
            continue
        properties = _properties(document, _json_schema(_object(_resolve(document, answer))))
        if properties and not any(key in properties for key in keys):
            nearest = _nearest(keys[0], properties)
            yield f"{where} answers without {keys[0]}: see solid.dialect.payload_key{nearest}"


def _json_schema(part: Mapping[str, object]) -> object:
    for media_type, content in _object(part.get("content")).items():
        if "json" in media_type:
            return _object(content).get("schema")
    return None


def _properties(document: Mapping[str, object], schema: object, depth: int = 0) -> dict[str, object]:
    resolved = _object(_resolve(document, schema))
    properties = dict(_object(resolved.get("properties")))
    if depth < _DEEPEST:
        for part in (
            *_list(resolved.get("allOf")),
            *_list(resolved.get("anyOf")),
            *_list(resolved.get("oneOf")),
        ):
            properties = _properties(document, part, depth + 1) | properties
    return properties


def _types(document: Mapping[str, object], schema: object, depth: int = 0) -> set[str]:
    resolved = _object(_resolve(document, schema))
    declared = resolved.get("type")
    types = {str(name) for name in (declared if isinstance(declared, list) else [declared])}
    if depth < _DEEPEST:
        for part in (*_list(resolved.get("anyOf")), *_list(resolved.get("oneOf"))):
            types |= _types(document, part, depth + 1)
    return types & set(_JSON_TYPES)


def _resolve(document: Mapping[str, object], schema: object) -> object:
    for _ in range(_DEEPEST):
        reference = _object(schema).get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        schema = document
        for step in reference[2:].split("/"):
            schema = _object(schema).get(step.replace("~1", "/").replace("~0", "~"))
    return None


def _nearest(name: str, names: Mapping[str, object] | list[str]) -> str:
    """Compare by the last part of a path: what all paths share would make them all alike."""
    wanted = name.rpartition("/")[2].lower()
    alike = {name: difflib.SequenceMatcher(None, wanted, name.rpartition("/")[2].lower()).ratio() for name in names}
    close = sorted((name for name in alike if alike[name] >= _ALIKE), key=lambda name: -alike[name])
    return f"; nearest: {', '.join(close[:3])}" if close else ""


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
