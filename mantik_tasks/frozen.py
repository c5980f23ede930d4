"""The base of every model that crosses a task border."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """Immutable, strict about unknown fields, and silent about values in its errors.

    Values are kept out of validation errors because they end up in logs and Prefect states, and a
    value may be a secret in the wrong place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
