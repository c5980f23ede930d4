"""Labels of the runs under one root flow run.

A label decides which run a retried flow finds again, so each is given once, and in the same order
every time the flow runs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID

from mantik_tasks.errors import ConfigError
from mantik_tasks.keys import slug


@dataclass(frozen=True)
class FlowRunExecution:
    """One execution of a flow run; a retry is another one of the same flow run."""

    flow_run_id: UUID
    run_count: int


# From the root flow run to the one that asks.
Chain = tuple[FlowRunExecution, ...]


@dataclass
class LabelClaims:
    """The labels given in this process."""

    _claims: dict[UUID, dict[str, Chain]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, chain: Chain, label: str | None, entry_point: str) -> str:
        """Return the label of a run.

        Args:
            chain: Executions from the root flow run to the current one.
            label: The caller's label; else the entry point's name and an ordinal are taken.
            entry_point: Name of the entry point.

        Raises:
            ConfigError: If the label was given to another run under this root.
        """
        with self._lock:
            claims = self._claims.setdefault(chain[0].flow_run_id, {})
            for former in [known for known, holder in claims.items() if _is_former(holder, chain)]:
                del claims[former]
            chosen = label or _first_free(slug(entry_point), claims)
            if chosen in claims:
                raise ConfigError(
                    f"label {chosen!r}: another run of this flow run has it; give each run its own"
                )
            claims[chosen] = chain
            return chosen


def _is_former(holder: Chain, chain: Chain) -> bool:
    """Whether a label was given in an execution that has been retried since."""
    counts = {execution.flow_run_id: execution.run_count for execution in chain}
    return any(counts.get(held.flow_run_id, held.run_count) > held.run_count for held in holder)


def _first_free(name: str, taken: dict[str, Chain]) -> str:
    ordinal = 1
    while f"{name}-{ordinal}" in taken:
        ordinal += 1
    return f"{name}-{ordinal}"
