"""A project's config over the keys that a block supplies.

- Mappings merge key by key; the file wins. Its scalars and lists replace the block's.
- Of the backend keys, and of Apptainer and Python, a key that the file names silences the block's others.
- The file may repeat the block's site, and nothing else: another backend or host is an error, since
  the block's credentials are for the block's site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

from mantik_tasks.config.catalogue import BACKEND_KEYS
from mantik_tasks.config.node import Node
from mantik_tasks.config.report import Report

_RUNTIMES = ("Apptainer", "Python")
_SSH_PORT = "22"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def merged(file: Node, block: Node, report: Report) -> Node:
    """Return the file's tree with the block's under it."""
    _check_site(file, block, report)
    block = _silenced(block, file, (), BACKEND_KEYS)
    block = _silenced(block, file, ("Environment",), _RUNTIMES)
    return _over(file, block)


def _over(file: Node, block: Node) -> Node:
    if not (isinstance(file.value, dict) and isinstance(block.value, dict)):
        return file
    both = {
        key: _over(node, block.value[key]) if key in block.value else node for key, node in file.value.items()
    }
    return replace(file, value=both | {key: node for key, node in block.value.items() if key not in both})


def _silenced(block: Node, file: Node, section: tuple[str, ...], group: tuple[str, ...]) -> Node:
    named = [key for key in group if file.at(*section, key)]
    for key in group:
        if named and key not in named:
            block = block.without(*section, key)
    return block


def _check_site(file: Node, block: Node, report: Report) -> None:
    """Report where the file points elsewhere than the block's site."""

    def elsewhere(path: tuple[str, ...], what: str) -> None:
        report.problem(
            file.nearest(path),
            path,
            f"points elsewhere than {block.place}, which is for {what}: leave it out or use another block",
        )

    theirs = next((key for key in BACKEND_KEYS if key in block.entries), None)
    for key in BACKEND_KEYS:
        if theirs and key in file.entries and key not in block.entries:
            elsewhere((key,), theirs)
    for path, site_of in _SITE_KEYS.items():
        ours, given = file.text(*path), block.text(*path)
        if ours and given and site_of(ours) != site_of(given):
            elsewhere(path, f"another {path[-1]}")
    port = file.text("SSH", "Port")
    if port and "SSH" in block.entries and port != (block.text("SSH", "Port") or _SSH_PORT):
        elsewhere(("SSH", "Port"), "another Port")


def _place_of(url: str) -> tuple[object, ...]:
    """Return what decides where a URL leads, or the whole text if it is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return (url,)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/"), parts.query


_SITE_KEYS: dict[tuple[str, ...], Callable[[str], object]] = {
    ("UnicoreApiUrl",): _place_of,
    ("Firecrest", "ApiUrl"): _place_of,
    ("Firecrest", "TokenUrl"): _place_of,
    ("Firecrest", "Machine"): str.casefold,
    ("SSH", "Hostname"): str.casefold,
}
