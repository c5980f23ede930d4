"""What a person who wrote an unknown key may have meant."""

from __future__ import annotations

from difflib import get_close_matches

from mantik_tasks.config.catalogue import all_keys, keys_in


def hint_for(path: tuple[str, ...]) -> str:
    """Return a sentence about the unknown key at the end of `path`."""
    *parents, key = path
    section = tuple(parents)
    valid = keys_in(section)
    for name in valid:
        if name.lower() == key.lower():
            return f"did you mean {name}? Capitals matter"
    homes = [other.path for other in all_keys() if other.path[-1].lower() == key.lower()]
    if homes:
        return " or ".join(_belongs(home) for home in homes)
    if near := get_close_matches(key, valid, n=1):
        return f"did you mean {near[0]}?"
    everywhere = {other.path[-1]: other.path for other in all_keys()}
    if near := get_close_matches(key, everywhere, n=1, cutoff=0.75):
        return f"did you mean {'.'.join(everywhere[near[0]])}?"
    if section == ("Environment",) and key.isupper():
        return "a variable belongs under Environment.Variables"
    return f"valid are {', '.join(valid)}" if valid else "no keys are valid here"


def _belongs(home: tuple[str, ...]) -> str:
    if len(home) == 1:
        return f"{home[0]} belongs at the top level"
    return f"{home[-1]} belongs under {'.'.join(home[:-1])}"
