"""What Prefect knows of the flow run that a run belongs to."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext, TaskRunContext

from mantik_tasks.claims import Chain, FlowRunExecution, LabelClaims
from mantik_tasks.errors import MantikError
from mantik_tasks.keys import run_key

_claims = LabelClaims()
_keys_of_tasks: dict[UUID | None, str] = {}


def current_flow_run() -> FlowRun:
    """Return the flow run that this code runs in.

    Raises:
        MantikError: If it runs in none.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise MantikError(
            "Call this inside of a Prefect flow: the flow run's id is what a run is found again by."
        )
    return context.flow_run


async def claim_run_key(label: str | None, entry_point: str) -> str:
    """Return the key of a run that is asked for in the current flow run.

    A task that is tried again asks for the same run, and is given the same key.

    Raises:
        ConfigError: If the label is taken, or can't be one.
        MantikError: Outside of a flow.
    """
    task = TaskRunContext.get()
    claimant = None if task is None else task.task_run.id
    if claimant in _keys_of_tasks:
        return _keys_of_tasks[claimant]
    chain = await _chain(current_flow_run())
    key = run_key(chain[0].flow_run_id, _claims.claim(chain, label, entry_point))
    if claimant is not None:
        _keys_of_tasks[claimant] = key
    return key


async def current_chain() -> list[UUID]:
    """Return the ids of the flow runs from the root to the current one; cancelling any cancels this."""
    return [execution.flow_run_id for execution in await _chain(current_flow_run())]


async def was_retry_asked() -> bool:
    """Whether somebody asked for another try, rather than a crash being healed.

    A flow run that ended Failed starts again only because a person or a setting wants it to; one
    that crashed starts again to go on.
    """
    async with get_client() as client:
        for execution in await _chain(current_flow_run()):
            states = await client.read_flow_run_states(execution.flow_run_id)
            if _ended_in_failure(states):
                return True
    return False


def _ended_in_failure(states: list[State]) -> bool:
    """Whether the execution before the current one ended Failed, or was set to retry by itself."""
    former = [state for state in states if state.type is not StateType.PENDING][:-1]
    for state in reversed(former):
        if state.type is StateType.FAILED:
            return True
        if state.type is StateType.SCHEDULED:
            # Prefect turns the Failed of a flow with retries into this one before it is ever seen.
            if state.name == "AwaitingRetry" and _follows_running(former, state):
                return True
            continue
        return False
    return False


def _follows_running(states: list[State], state: State) -> bool:
    position = states.index(state)
    return position > 0 and states[position - 1].type is StateType.RUNNING


async def _chain(flow_run: FlowRun) -> Chain:
    """Return the executions from the root flow run to this one.

    The root is the outermost flow run of this process. A flow run of a deployment is a root, since
    it starts and is retried by itself, whoever asked for it.
    """
    chain = [_execution(flow_run)]
    async with get_client() as client:
        while flow_run.deployment_id is None and flow_run.parent_task_run_id is not None:
            flow_run = await client.read_flow_run(await _parent_id(client, flow_run.parent_task_run_id))
            chain.insert(0, _execution(flow_run))
    return tuple(chain)


async def _parent_id(client: PrefectClient, task_run_id: UUID) -> UUID:
    task_run = await client.read_task_run(task_run_id)
    if task_run.flow_run_id is None:
        raise MantikError("The flow run was started by a task outside of any flow; call it from a flow.")
    return task_run.flow_run_id


def _execution(flow_run: FlowRun) -> FlowRunExecution:
    return FlowRunExecution(flow_run.id, flow_run.run_count)
