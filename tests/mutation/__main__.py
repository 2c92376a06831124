"""`make mutate`: changes the code of the money in small ways; the tests must notice each one.

    python -m tests.mutation --module amounts --all

A stopped run goes on where it ended. It exits with 1 if tests noticed nothing and the list of
equal mutants gives no reason. Source: docs/payment-correctness.md, section 10.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from tests.mutation import running
from tests.mutation.modules import MODULES

SAMPLE = 400


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    names = [Path(each).stem for each in MODULES]
    parser.add_argument("--module", action="append", choices=names, help="only this one")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many, of all modules")
    parser.add_argument(
        "--all", action="store_const", const=0, dest="sample", help="every mutant, not a sample"
    )
    parser.add_argument("--again", action="store_true", help="forget the results of earlier runs")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(running.run(read_options()))
