"""What all sections of a Compute Backend Config have in common."""

from pydantic import ConfigDict, JsonValue

from mantik_tasks.frozen import FrozenModel

# What the reference and the JSON Schema tell about a key beside its type.
KeyFacts = dict[str, JsonValue]
OURS: KeyFacts = {"x-ours": True}
BY_SCHEDULERS: KeyFacts = {"x-used-by": "all but Local"}
WITH_LOGIN_NODE: KeyFacts = {"x-used-by": "all but Firecrest"}


class Section(FrozenModel):
    """A mapping of the file: keys by alias only, written back the same way."""

    model_config = ConfigDict(serialize_by_alias=True)
