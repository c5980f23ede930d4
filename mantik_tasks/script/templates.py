"""The constant parts of the scripts: real shell files in the folder `shell`."""

from functools import cache
from importlib import resources


@cache
def template(name: str) -> str:
    """Return the text of a file in the folder `shell`."""
    return resources.files("mantik_tasks.script").joinpath("shell", name).read_text(encoding="utf-8")
