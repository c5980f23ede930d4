"""Read what a path parameter names, and say where it is and what is in it."""

import sys
from pathlib import Path

path = Path(sys.argv[1])
assert path.is_absolute(), path
print("read", path.name, path.read_text() if path.is_file() else sorted(item.name for item in path.iterdir()))
