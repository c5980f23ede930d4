"""What may be shown of a run."""

from __future__ import annotations

import re

from mantik_tasks.models import RunSpec

MASK = "********"
_SECRET_NAME = re.compile(
    "TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE
)


def masked(spec: RunSpec) -> RunSpec:
    """Return the run with the values of variables hidden whose names sound secret.

    Secrets don't belong into a config; where one stands there all the same, what is rendered from
    this copy can be shown.
    """
    environment = spec.config.environment
    variables = {
        name: MASK if _SECRET_NAME.search(name) else value for name, value in environment.variables.items()
    }
    shown = environment.model_copy(update={"variables": variables})
    return spec.model_copy(update={"config": spec.config.model_copy(update={"environment": shown})})
