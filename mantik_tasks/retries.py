"""Which failures of a task are worth another try."""

from typing import Any

from prefect.client.schemas.objects import State, TaskRun

from mantik_tasks.errors import BackendError

RETRIES = 5
RETRY_SECONDS = [2.0, 5.0, 15.0, 60.0, 120.0]


async def is_transient(_task: Any, _task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a task failed because of something that passes, such as a site that does not answer."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, BackendError) and error.transient
