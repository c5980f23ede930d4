"""Every key that a config may have, read off the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic.fields import FieldInfo

from mantik_tasks.config.models import ComputeBackendConfig, Section
from mantik_tasks.config.values import Format

BACKEND_KEYS = ("UnicoreApiUrl", "Firecrest", "SSH", "Slurm", "Local")


@dataclass(frozen=True)
class Key:
    """A key of the file.

    Attributes:
        path: The key and the sections it is in.
        field: What the model says about it.
        section: The model of its own keys, if it is a section.
    """

    path: tuple[str, ...]
    field: FieldInfo
    section: type[Section] | None


@cache
def all_keys() -> tuple[Key, ...]:
    """Return every key, in the order of the models."""
    return tuple(_keys_below(ComputeBackendConfig, ()))


def _keys_below(section: type[Section], path: tuple[str, ...]) -> Iterator[Key]:
    for field in section.model_fields.values():
        below = next((part for part in _parts(field.annotation) if _is_section(part)), None)
        key = Key((*path, str(field.alias)), field, below)
        yield key
        if below:
            yield from _keys_below(below, key.path)


def keys_in(path: tuple[str, ...]) -> list[str]:
    """Return the keys that the section at `path` may have."""
    return [key.path[-1] for key in all_keys() if key.path[:-1] == path]


def format_of(field: FieldInfo) -> Format | None:
    """Return how the values of a field are written, unless they are words of an enum."""
    parts = (*field.metadata, *_parts(field.annotation))
    return next((part for part in parts if isinstance(part, Format)), None)


def words_of(field: FieldInfo) -> list[str]:
    """Return the words that a field may hold; none if it is no enum."""
    return [
        str(word) for part in _parts(field.annotation) for word in getattr(part, "__members__", {}).values()
    ]


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and, if it is a union or annotated, what it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Section)
