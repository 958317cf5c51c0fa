"""`python -m sandbox.cloud --home DIR`: serve AWS on loopback."""

import argparse
from pathlib import Path

from sandbox.cloud.server import serve

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--home", type=Path, required=True, help="directory of the sandbox")
serve(parser.parse_args().home)
