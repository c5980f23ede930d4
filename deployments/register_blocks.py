"""Register the block types with the Prefect server, and save block documents from a TOML file.

    python -m deployments.register_blocks deployments/blocks.example.toml

A table `[compute-backend.NAME]` or `[mlflow-tracking.NAME]` is one document, with the fields of the
form. `"$VAR"` as a value is taken from the environment, which is the place for tokens and passwords.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.blocks.core import Block
from pydantic import ValidationError

from blocks import ComputeBackend, MlflowTracking

BLOCKS: dict[str, type[Block]] = {"compute-backend": ComputeBackend, "mlflow-tracking": MlflowTracking}


async def register(documents: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Register every block type and save the documents; return their slugs.

    Args:
        documents: Fields by block type and document name. A document of that name is replaced.

    Raises:
        ValueError: If a document is no such block; its values are not in the message.
    """
    unknown = sorted(set(documents) - set(BLOCKS))
    if unknown:
        raise ValueError(f"no such block types: {', '.join(unknown)}; there are {', '.join(BLOCKS)}")
    for block_type in BLOCKS.values():
        await block_type.aregister_type_and_schema()
    slugs = []
    for type_slug, by_name in documents.items():
        for name, fields in by_name.items():
            slug = f"{type_slug}/{name}"
            await _block(slug, BLOCKS[type_slug], fields).asave(name, overwrite=True)
            slugs.append(slug)
    return slugs


def _block(slug: str, block_type: type[Block], fields: Mapping[str, Any]) -> Block:
    values = {name: _from_environment(slug, value) for name, value in fields.items()}
    unknown = sorted(set(values) - set(block_type.model_fields))
    if unknown:
        raise ValueError(
            f"{slug}: no such fields: {', '.join(unknown)}; there are {', '.join(block_type.model_fields)}"
        )
    try:
        return block_type(**values)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)
        ]
        raise ValueError(f"{slug}: {'; '.join(problems)}") from None


def _from_environment(slug: str, value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    try:
        return os.environ[value[1:]]
    except KeyError:
        raise ValueError(f"{slug}: the environment has no {value[1:]}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="register_blocks", description="Register block types and save block documents."
    )
    parser.add_argument("file", type=Path, nargs="?", help="TOML file with the documents")
    file: Path | None = parser.parse_args(arguments).file
    try:
        documents = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
        slugs = asyncio.run(register(documents))
    except (OSError, ValueError) as error:
        print(f"register_blocks: {error}", file=sys.stderr)
        return 2
    print("\n".join(f"saved {slug}" for slug in slugs) or "registered the block types")
    return 0


if __name__ == "__main__":
    sys.exit(main())
