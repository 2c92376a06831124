"""`make prove`: plays many schedules, each from its seed, on DynamoDB Local; one process per core.

    python -m tests.proof --seeds 0-19999 --resume proof.json
    python -m tests.proof --seeds 1234 --show

With `--resume` it continues where a stopped run ended; SIGTERM stops a run. It exits with 1 if
anything was wrong, and prints the seed, its schedule and what was broken.
Source: docs/payment-correctness.md, section 10.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

from tests.proof import running


def read_options() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--seeds", default="0-19999", help="one, or first-last")
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep the progress here")
    parser.add_argument("--show", action="store_true", help="print every schedule")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    options.first, options.last = int(first), int(last or first)
    options.workers = min(options.workers, (options.last - options.first) // running.BLOCK + 1)
    return options


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(running.run(read_options()))
