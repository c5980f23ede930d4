"""Print a greeting."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--greeting")
print(parser.parse_args().greeting, "from a module")
