"""Config keys that a block supplies."""

from __future__ import annotations

from pydantic import Field, JsonValue

from mantik_tasks.frozen import FrozenModel


class ConfigDefaults(FrozenModel):
    """Keys to be merged under a project's own config.

    Attributes:
        name: Where they come from, for messages: `block juwels`.
        keys: The keys, spelled as in a config file.
    """

    name: str = "defaults"
    keys: dict[str, JsonValue] = Field(default_factory=dict)
