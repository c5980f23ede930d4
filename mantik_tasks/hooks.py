"""What happens on the site when a person cancels a flow run."""

from __future__ import annotations

from typing import Any

from prefect import Flow, State
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.logging.loggers import flow_run_logger

from mantik_tasks.references import RunReference, references_in, source_of
from mantik_tasks.sites import site_of


async def cancel_jobs(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Cancel the jobs of a flow run, for `@flow(on_cancellation=[cancel_jobs])`.

    Needs nothing but the flow run's labels, so it works in a new process. A worker or `serve` that
    stops calls this hook too, so it looks whether a person cancelled: jobs outlive their watchers.
    """
    logger = flow_run_logger(flow_run, flow)
    async with get_client() as client:
        current = await client.read_flow_run(flow_run.id)
    if current.state is None or current.state.type not in (StateType.CANCELLING, StateType.CANCELLED):
        logger.info("Nobody cancelled this flow run; its jobs go on, and are found again when it is retried.")
        return
    for reference in references_in(current.labels):
        try:
            await cancel_run(reference)
            logger.info("Cancelled run %s on %s", reference.run_key, reference.site)
        except Exception:
            # One site's trouble must not keep the other jobs of the flow run alive.
            logger.exception("Run %s on %s could not be cancelled", reference.run_key, reference.site)


async def cancel_run(reference: RunReference) -> None:
    """Cancel every attempt of a run on its site.

    Raises:
        BackendError: If the site could not do it.
    """
    site = await site_of(await source_of(reference))
    attempts = await site.call(site.backend.find, reference.run_key)
    await site.call(site.backend.cancel, [attempt.run_directory for attempt in attempts])
