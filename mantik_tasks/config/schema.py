"""The JSON Schema of a config file, for editors.

It describes what a file may hold, not what a whole config must: a block may supply any key, so
nothing is required. Values that depend on each other in more ways are left to the reader.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from mantik_tasks.config.catalogue import BACKEND_KEYS
from mantik_tasks.config.legacy import COMMAND_KEYS, COMMANDS, RENAMED
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.config.rules import LOGIN_COMMANDS

SCHEMA_FILE = Path(__file__).with_name("compute-backend-config.schema.json")

Schema = dict[str, Any]


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(file_schema(), indent=2) + "\n"


def file_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a config file."""
    schema = ComputeBackendConfig.model_json_schema(schema_generator=_OfFile)
    for section in (schema, *schema["$defs"].values()):
        _tidy(section)
    for key in ("Local", "Slurm"):
        _also(schema, key, {"type": "null"})
    environment, apptainer = schema["$defs"]["Environment"], schema["$defs"]["Apptainer"]
    _also(environment, "Python", {"type": "string", "pattern": "^[/$]"})
    schema["properties"]["$schema"] = {"type": "string", "description": "Where editors find this schema."}
    schema["oneOf"] = [_only(key) for key in (*BACKEND_KEYS, None)]
    schema["not"] = _login_commands_on_firecrest()
    environment["allOf"] = [_not_both("Apptainer", "Python")]
    apptainer["if"] = {"properties": {"Type": {"pattern": "^[rR]"}}, "required": ["Type"]}
    apptainer["then"] = {"properties": {"Path": {"pattern": "^[/$]"}}}
    _add_legacy(schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


class _OfFile(GenerateJsonSchema):
    """Leaves out what only models have: null for a key that is absent."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return (
            super().default_schema(schema) if schema.get("default") else self.generate_inner(schema["schema"])
        )


def _tidy(section: Schema) -> None:
    section.pop("required", None)
    for key, value in section.get("properties", {}).items():
        value["title"] = key
        value.pop("x-used-by", None)
        if value.pop("x-ours", False):
            value["description"] += " (Not in Mantik.)"


def _also(section: Schema, key: str, other: Schema) -> None:
    """Let a key that holds a section hold something else too."""
    about = section["properties"][key]
    about["anyOf"] = [{"$ref": about.pop("$ref")}, other]


def _only(backend: str | None) -> Schema:
    others = [{"required": [key]} for key in BACKEND_KEYS if key != backend]
    return {**({"required": [backend]} if backend else {}), "not": {"anyOf": others}}


def _not_both(one: str, other: str) -> Schema:
    return {"not": {"required": [one, other]}}


def _login_commands_on_firecrest() -> Schema:
    commands = [{"properties": {key: {"minItems": 1}}, "required": [key]} for key in LOGIN_COMMANDS]
    return {"properties": {"Environment": {"anyOf": commands}}, "required": ["Firecrest", "Environment"]}


def _add_legacy(schema: Schema) -> None:
    """Add the old spellings, marked as deprecated."""
    for old, new in RENAMED.items():
        section = _section(schema, old[:-1])
        target = _section(schema, new[:-1])["properties"][new[-1]]
        section["properties"][old[-1]] = {**target, "title": old[-1], **_deprecated(new)}
        if old[:-1] == new[:-1]:
            section.setdefault("allOf", []).append(_not_both(old[-1], new[-1]))
    environment = _section(schema, ("Environment",))["properties"]
    values = (
        environment["PreRunCommandOnComputeNode"],
        _section(schema, ("Resources",))["properties"]["Exclusive"],
    )
    for old, targets in COMMANDS.items():
        environment[old[-1]] = {
            "title": old[-1],
            **_deprecated(*targets),
            "type": "object",
            "properties": {
                key: {"anyOf": value["anyOf"]} for key, value in zip(COMMAND_KEYS, values, strict=True)
            },
            "required": ["Command"],
            "additionalProperties": False,
        }


def _section(schema: Schema, path: tuple[str, ...]) -> Schema:
    """Return the schema of the section at `path`."""
    section = schema
    for key in path:
        section = schema["$defs"][section["properties"][key]["$ref"].rpartition("/")[2]]
    return section


def _deprecated(*targets: tuple[str, ...]) -> Schema:
    new = " or ".join(".".join(target) for target in targets)
    return {"deprecated": True, "description": f"Old spelling: write {new}."}
