"""Write down the arguments of this program and that it ran."""

import json
import os
import sys
from pathlib import Path

Path("arguments.json").write_text(json.dumps(sys.argv[1:]))
with Path(os.environ.get("COUNTER", "executions")).open("a") as counter:
    counter.write(f"{os.getpid()}\n")
print("arguments", sys.argv[1:])
