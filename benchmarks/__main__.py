"""Compares our handlers with bare boto3 and with FastAPI + Mangum, and large lists with small ones.

Ends with 1 if a bar is broken. Sources of the bars: docs/architecture.md, section 6;
docs/data-model.md, section 8. The other handlers make the same SDK calls. The databases and Stripe
run in other processes, so only the CPU of the measured process counts.
"""

import compileall
import sys
import time

from benchmarks import cpu, imports, memory, offsets, scaling
from benchmarks.process import BRIDGE, ROOT, server
from benchmarks.table import Row, show
from local import dynamodb_local


def main() -> int:
    """Measure, print the tables, and return the exit code."""
    started, rows = time.monotonic(), []
    for folder in (BRIDGE, ROOT / "functions", ROOT / "benchmarks"):
        compileall.compile_dir(
            folder, quiet=1
        )  # as in the layers and in the other handlers' libraries

    def report(title: str, columns: tuple[str, ...], found: list[Row]) -> None:
        show(title, columns, found)
        rows.extend(found)

    with server("wide", str(cpu.CONFIRMS)) as running:
        found = imports.rows(running)
        report("Cold import with a client, CPU ms", ("ours", "boto3", "FastAPI"), found)
        warm, cold = cpu.rows(running)
        report("A request, CPU ms", ("ours", "bare", "FastAPI"), warm)
        report("Cold start to the first answer, CPU ms", ("ours", "bare", "FastAPI"), cold)
        report("Kept of each request", ("ours", "bare", ""), memory.rows(running))
    url = dynamodb_local.url()
    where = "DynamoDB Local" if url else "moto, since there is no DynamoDB Local"
    with server("deep", DYNAMODB_ENDPOINT=url or "") as running:
        found = offsets.rows(running, wall=url is not None)
        report(f"Offset 10,000 on {where}, ms", ("10,000", "0", ""), found)
    if url:
        with server("crowded", DYNAMODB_ENDPOINT=url) as running:
            pages, sizes = scaling.rows(running), scaling.COLUMNS
        page = f"A page out of so many customers on {where}"
        report(f"{page}, CPU ms (ratio: to the fewest)", sizes, pages.cpu)
        report(f"{page}, read units (ratio: to the budget)", sizes, pages.units)
        report(f"{page}, ms (ratio: to the fewest)", sizes, pages.wall)
    else:
        print("\nPages of customers are left out, since there is no DynamoDB Local")
    broken = [row.name for row in rows if not row.holds]
    verdict = f"broken: {', '.join(broken)}" if broken else "all inside the bars"
    print(f"\n{verdict}; {time.monotonic() - started:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
