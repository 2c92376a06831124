"""How much memory a process keeps of the requests that it has handled."""

from itertools import count

from benchmarks.process import Environment, measured
from benchmarks.table import Row

# (warm-up requests, counted requests): the SDK's own caches are full only after 400 creations.
REQUESTS = {"get_payment": (300, 1000), "create_payment_intent": (450, 150)}
BLOCKS_BAR, KB_BAR = 1.0, 2.0


def rows(environment: Environment) -> list[Row]:
    """Return the growth per request, ours and the bare handler's: memory blocks and resident kB."""
    found = []
    for endpoint, (warm, requests) in REQUESTS.items():
        pairs = [(variant, endpoint) for variant in ("bridge", "bare")]
        blocks, resident = [], []
        with measured(environment, pairs, count(1_000_000, 10_000)) as processes:
            for process in processes:
                before, after = process.ask(warm), process.ask(requests)
                blocks.append((after["blocks"] - before["blocks"]) / requests)
                resident.append((after["resident_kb"] - before["resident_kb"]) / requests)
        found += [
            Row(f"{endpoint}: blocks", (*blocks, None), blocks[0], BLOCKS_BAR),
            Row(f"{endpoint}: kB resident", (*resident, None), resident[0], KB_BAR),
        ]
    return found
