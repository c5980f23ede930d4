"""The types of the values in a Compute Backend Config.

Every scalar of a file reaches these types as the characters in the file, so `007`, `3.10` and
`1e-6` stay what they are. What a model writes as JSON is read back too, numbers included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema

from mantik_tasks.config import quantities

JsonSchema = dict[str, JsonValue]

# An editor reads 007 or true in YAML as a number or a truth value; to us it is text.
_SCALAR: JsonSchema = {"type": ["string", "number", "boolean"]}
_LINE: JsonSchema = {**_SCALAR, "minLength": 1, "pattern": r"^[^\n\r\u0000]*[^\s\u0000][^\n\r\u0000]*$"}
_LINES: JsonSchema = {**_SCALAR, "minLength": 1, "pattern": r"[^\s\u0000]"}


@dataclass(frozen=True)
class Format:
    """How a value is written: in words for people, as JSON Schema for editors."""

    words: str
    json_schema: JsonSchema = field(hash=False)

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        """Stand in for the schema that pydantic would derive."""
        return dict(self.json_schema)


@dataclass(frozen=True)
class AnyCase:
    """Marks an enum whose words may be written in capitals, small letters, or both."""

    def __get_pydantic_core_schema__(
        self, source: type[StrEnum], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Turn the text into small letters before the enum sees it."""
        return core_schema.no_info_before_validator_function(
            lambda value: value.lower() if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """List the words, for completion, and allow their other spellings."""
        words = handler.resolve_ref_schema(handler(schema))["enum"]
        patterns = ("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in words)
        return {"anyOf": [{"enum": words}, {"type": "string", "pattern": f"^({'|'.join(patterns)})$"}]}


def _number_or(pattern: str, **limits: int) -> JsonSchema:
    """Return the schema of a number that may also be written as text."""
    return {"anyOf": [{"type": "integer", **limits}, {"type": "string", "pattern": f"^({pattern})$"}]}


def _list_of(item: JsonSchema) -> JsonSchema:
    return {"anyOf": [item, {"type": "array", "items": item}]}


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the NUL character")
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return _no_nul(text)


def _absolute(path: str) -> str:
    if not path.startswith(("/", "$")):
        raise ValueError("must be an absolute path: begin it with / or $VAR (in place of ~ write $HOME)")
    return path


def _variable_name(name: str) -> str:
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("must be a variable name: letters, digits and _, not beginning with a digit")
    return name


def _url(text: str) -> str:
    try:
        url = urlsplit(text)
        complete = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        complete = False
    if not complete or " " in text:
        raise ValueError("must be a URL such as https://host:8080/path")
    if "@" in url.netloc:
        raise ValueError("must not hold a user name or password: they belong into a credentials block")
    return text


def _hostname(text: str) -> str:
    try:
        if ":" in text:
            ip_address(text)
        elif not re.fullmatch(r"\w[\w.-]*", text):
            raise ValueError
    except ValueError:
        message = "must be a host name or address alone, without user and port"
        raise ValueError(message) from None
    return text


def _as_list(value: object) -> object:
    """Take a lone text for a list of one."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_one_line), Format("text", _LINE)]
AbsolutePath = Annotated[
    str,
    AfterValidator(_one_line),
    AfterValidator(_absolute),
    Format("absolute path", {"type": "string", "pattern": "^[/$]"}),
]
Url = Annotated[
    str,
    AfterValidator(_one_line),
    AfterValidator(_url),
    Format("URL", {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://[^\\s@]+$"}),
]
Hostname = Annotated[
    str,
    AfterValidator(_one_line),
    AfterValidator(_hostname),
    Format("host name", {"type": "string", "pattern": "^[^\\s@/]+$"}),
]
TextList = Annotated[
    tuple[Text, ...], BeforeValidator(_as_list), Format("text or list of texts", _list_of(_LINE))
]
CommandList = Annotated[
    tuple[Annotated[str, AfterValidator(_not_empty)], ...],
    BeforeValidator(_as_list),
    Format("text or list of texts, each of one or more lines", _list_of(_LINES)),
]
TextMap = Annotated[
    dict[Annotated[str, AfterValidator(_variable_name)], Annotated[str, AfterValidator(_no_nul)]],
    Format(
        "mapping of names to texts",
        {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": _SCALAR,
        },
    ),
]
Flag = Annotated[
    bool,
    BeforeValidator(quantities.parse_flag),
    Format(
        "true or false",
        {"anyOf": [{"type": "boolean"}, {"enum": ["true", "yes", "on", "false", "no", "off"]}]},
    ),
]
Count = Annotated[
    int,
    BeforeValidator(partial(quantities.parse_whole_number, smallest=1)),
    Format("whole number from 1", _number_or("[1-9][0-9]{0,9}", minimum=1, maximum=quantities.LARGEST_COUNT)),
]
CountFromZero = Annotated[
    int,
    BeforeValidator(partial(quantities.parse_whole_number, smallest=0)),
    Format(
        "whole number from 0",
        _number_or(quantities.WHOLE_NUMBER, minimum=0, maximum=quantities.LARGEST_COUNT),
    ),
]
Port = Annotated[
    int,
    BeforeValidator(partial(quantities.parse_whole_number, smallest=1, largest=65_535)),
    Format("port from 1 to 65535", _number_or("[1-9][0-9]{0,4}", minimum=1, maximum=65_535)),
]
RuntimeSeconds = Annotated[
    int,
    BeforeValidator(quantities.parse_runtime),
    Format(
        f"time: {quantities.RUNTIME_FORMATS}",
        {
            "type": "string",
            "minLength": 2,
            "pattern": f"^({quantities.UNIT_RUNTIME}|{quantities.CLOCK_RUNTIME})$",
        },
    ),
]
MemoryMib = Annotated[
    int,
    BeforeValidator(quantities.parse_memory),
    Format(
        "memory: 4096 (MiB), 512M, 10G, 12GiB or 1T",
        _number_or(quantities.MEMORY, minimum=1, maximum=quantities.LARGEST_COUNT),
    ),
]
