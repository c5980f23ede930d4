"""Follow a flow run: print its log on standard error, and its id and end as JSON on standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterTimestamp
from prefect.client.schemas.sorting import LogSort

POLL_SECONDS = 0.5
PAGE = 200
# Records arrive a little out of order, so each look goes back by this much.
LATE = timedelta(seconds=10)
NOISE = (
    "Finished in state Completed()",
    "Executing deployment step",
    "Deployment step",
    "All deployment steps",
)


async def follow(flow_run_id: UUID, seconds: float) -> int:
    """Follow a flow run until it ends, and return 0 if it completed."""
    log = Log(flow_run_id)
    async with get_client() as client:
        async with asyncio.timeout(seconds):
            while True:
                flow_run = await client.read_flow_run(flow_run_id)
                await log.show(client)
                if flow_run.state is not None and flow_run.state.is_final():
                    break
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(4 * POLL_SECONDS)  # the last records arrive after the state
        await log.show(client)
    print(json.dumps({"flow_run_id": str(flow_run_id), "state": flow_run.state.name}))
    return 0 if flow_run.state.is_completed() else 1


class Log:
    """The log of a flow run, of which each record is shown once."""

    def __init__(self, flow_run_id: UUID) -> None:
        self.flow_run_id = flow_run_id
        self.shown: set[UUID] = set()
        self.since = datetime(2000, 1, 1, tzinfo=UTC)

    async def show(self, client: PrefectClient) -> None:
        """Print the records that are new."""
        wanted = LogFilter(
            flow_run_id=LogFilterFlowRunId(any_=[self.flow_run_id]),
            timestamp=LogFilterTimestamp(after_=self.since),
        )
        offset = 0
        while records := await client.read_logs(
            wanted, limit=PAGE, offset=offset, sort=LogSort.TIMESTAMP_ASC
        ):
            offset += len(records)
            for record in records:
                if record.id not in self.shown and not record.message.startswith(NOISE):
                    print(f"  {record.timestamp:%H:%M:%S}  {record.message}", file=sys.stderr, flush=True)
                self.shown.add(record.id)
                self.since = max(self.since, record.timestamp - LATE)


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
