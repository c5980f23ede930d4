"""The console script."""

import argparse


def main() -> None:
    """Print the mean of some numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--values", nargs="+", type=float)
    values = parser.parse_args().values
    print("mean", sum(values) / len(values))
