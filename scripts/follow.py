"""Follow a flow run: print its log on standard error, and its id and end as JSON on standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.sorting import LogSort

POLL_SECONDS = 0.5
PAGE = 200


async def follow(flow_run_id: UUID, seconds: float) -> int:
    """Follow a flow run until it ends, and return 0 if it completed."""
    shown = 0
    async with get_client() as client:
        async with asyncio.timeout(seconds):
            while True:
                flow_run = await client.read_flow_run(flow_run_id)
                shown = await show_logs(client, flow_run_id, shown)
                if flow_run.state is not None and flow_run.state.is_final():
                    break
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(2 * POLL_SECONDS)  # the last records arrive after the state
        await show_logs(client, flow_run_id, shown)
    print(json.dumps({"flow_run_id": str(flow_run_id), "state": flow_run.state.name}))
    return 0 if flow_run.state.is_completed() else 1


async def show_logs(client: PrefectClient, flow_run_id: UUID, shown: int) -> int:
    """Print the records after the first `shown` and return how many there are now."""
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]))
    while records := await client.read_logs(wanted, limit=PAGE, offset=shown, sort=LogSort.TIMESTAMP_ASC):
        for record in records:
            print(f"  {record.timestamp:%H:%M:%S}  {record.message}", file=sys.stderr, flush=True)
        shown += len(records)
    return shown


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flow_run_id", type=UUID)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    try:
        sys.exit(asyncio.run(follow(options.flow_run_id, options.seconds)))
    except TimeoutError:
        print(f"The flow run has not ended after {options.seconds:.0f} s.", file=sys.stderr)
        sys.exit(1)
