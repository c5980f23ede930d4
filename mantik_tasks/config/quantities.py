"""Numbers with units, and flags, as a config file writes them.

Each parser takes what a file or a Python caller may give and raises `ValueError` with a text that
says what is valid. None repeats what it was given: a secret may stand in the wrong place.
"""

import re

LARGEST_COUNT = 2**31 - 1

WHOLE_NUMBER = "0|[1-9][0-9]{0,9}"
UNIT_RUNTIME = "(?:([0-9]{1,9})[dD])?(?:([0-9]{1,9})[hH])?(?:([0-9]{1,9})[mM])?(?:([0-9]{1,9})[sS])?"
CLOCK_RUNTIME = "(?:([0-9]{1,9})-)?([0-9]{1,9}):([0-5][0-9]):([0-5][0-9])"
MEMORY = "([1-9][0-9]{0,9})(?:([mMgGtT])(?:[iI][bB])?)?"

RUNTIME_FORMATS = "90s, 30m, 1h30m, 12h, 1d, HH:MM:SS or D-HH:MM:SS"
_SECONDS = (86_400, 3_600, 60, 1)
_MIB = {"M": 1, "G": 1024, "T": 1024 * 1024}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def parse_whole_number(value: object, smallest: int, largest: int = LARGEST_COUNT) -> int:
    """Return a whole number given as such or as its decimal digits."""
    text = _written(value)
    if not re.fullmatch(WHOLE_NUMBER, text) or not smallest <= int(text) <= largest:
        raise ValueError(f"must be a whole number from {smallest} to {largest}, in digits only")
    return int(text)


def parse_flag(value: object) -> bool:
    """Return a truth value given as such or as one of YAML's words for it."""
    if isinstance(value, str):
        value = _FLAGS.get(value.lower())
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def parse_runtime(value: object) -> int:
    """Return a runtime in seconds.

    A bare number is refused: it means minutes to Slurm and seconds to UNICORE.
    """
    text = _written(value)
    if re.fullmatch("[1-9][0-9]{0,8}", text):
        raise ValueError(
            f"has no unit, so sites would read it as minutes or as seconds: write {text}s or {text}m "
            "(an hour is 3600s or 60m)"
        )
    match = re.fullmatch(UNIT_RUNTIME, text) or re.fullmatch(CLOCK_RUNTIME, text)
    if not text or match is None:
        raise ValueError(f"must be a time such as {RUNTIME_FORMATS}")
    parts = [int(part or 0) for part in match.groups()]
    if match.re.pattern == CLOCK_RUNTIME and match[1] is not None and parts[1] > 23:
        raise ValueError("must have at most 23 hours after the days: D-HH:MM:SS")
    seconds = sum(part * unit for part, unit in zip(parts, _SECONDS, strict=True))
    if not 0 < seconds <= LARGEST_COUNT:
        raise ValueError("must be longer than zero seconds and shorter than 68 years")
    return seconds


def format_runtime(seconds: int) -> str:
    """Return a runtime as `parse_runtime` reads it, for example `1h30m`."""
    parts = []
    for unit, letter in zip(_SECONDS, "dhms", strict=True):
        count, seconds = divmod(seconds, unit)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts)


def parse_memory(value: object) -> int:
    """Return an amount of memory in MiB."""
    match = re.fullmatch(MEMORY, _written(value))
    mib = int(match[1]) * _MIB[(match[2] or "M").upper()] if match else 0
    if not 1 <= mib <= LARGEST_COUNT:
        raise ValueError("must be a whole number of MiB, or one with a unit: 4096, 512M, 10G, 12GiB or 1T")
    return mib


def _written(value: object) -> str:
    """Return a text or a whole number of sensible size as text, and anything else as the empty text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_COUNT:
        return str(value)
    return value if isinstance(value, str) else ""
