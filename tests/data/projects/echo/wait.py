"""Count this execution, and wait until a file is there."""

import sys
import time
from pathlib import Path

gate = Path(sys.argv[1])
with gate.with_name("executions").open("a") as counter:
    counter.write("x")
print("waiting", flush=True)
deadline = time.monotonic() + 120
while not gate.exists():
    if time.monotonic() > deadline:
        sys.exit("nobody opened the gate")
    time.sleep(0.05)
print("done", flush=True)
