"""What leads back to a run's site from the labels of its flow run alone; holds no secret."""

from __future__ import annotations

import json
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client

from mantik_tasks.backends.base import BackendSource, JobHandle, RunDirectory
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.errors import MantikError
from mantik_tasks.frozen import FrozenModel
from mantik_tasks.keys import split_attempt_key

_PREFIX = "mantik.run."


class RunReference(FrozenModel):
    """Where a run is.

    Attributes:
        run_key: Its key.
        backend: Name of the backend.
        site: Host and account.
        block: Id of the block document that leads there, if a saved block did.
        connection: The connection itself, where it holds no secret.
    """

    run_key: str
    backend: str
    site: str
    block: str | None = None
    connection: dict[str, Any] | None = None


def reference(run_directory: RunDirectory | JobHandle, source: BackendSource) -> RunReference:
    """Return the reference of a run that `source` leads to."""
    document_id = getattr(source, "document_id", None)
    return RunReference(
        run_key=split_attempt_key(run_directory.key)[0],
        backend=run_directory.backend,
        site=run_directory.site,
        block=None if document_id is None else str(document_id),
        connection=source.model_dump(mode="json") if isinstance(source, LocalConnection) else None,
    )


async def write_reference(flow_run_id: Any, reference: RunReference) -> None:
    """Label a flow run with one of its runs."""
    async with get_client() as client:
        text = reference.model_dump_json(exclude_none=True)
        await client.update_flow_run_labels(flow_run_id, {f"{_PREFIX}{reference.run_key}": text})


def references_in(labels: dict[str, Any]) -> list[RunReference]:
    """Return the references in a flow run's labels."""
    return [
        RunReference.model_validate(json.loads(text))
        for name, text in labels.items()
        if name.startswith(_PREFIX)
    ]


async def source_of(reference: RunReference) -> BackendSource:
    """Return what leads to a run's site.

    Raises:
        MantikError: If nothing in the reference does.
    """
    if reference.block is not None:
        block: Any = await Block.aload_from_ref({"block_document_id": reference.block})
        return block  # type: ignore[no-any-return] # Prefect types it as any block
    if reference.connection is not None:
        return LocalConnection.model_validate(reference.connection)
    raise MantikError(
        f"Run {reference.run_key} on {reference.site} was started with credentials that were not in a "
        "saved block; save them as a block, so that the run can be reached from another process."
    )
