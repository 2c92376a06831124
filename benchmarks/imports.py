"""The cost of a cold start: CPU of a process that imports a handler and makes its client.

Every function is measured. The table has one row for each kind of functions: the one that costs
most of that kind. Figures are the least of several processes: whatever disturbs one only adds.
"""

from benchmarks.process import ROOT, Environment, spawn
from benchmarks.table import Row

READS, WRITES = 1.2, 1.35
TRIALS, REPETITIONS = 3, 7
READING = ("get_", "list_", "health", "inspect_")
BOTO3 = "import boto3; boto3.client('dynamodb')"
FASTAPI = f"import fastapi, mangum; {BOTO3}"
OURS = "import functions.{}.handler; from bridge.store import dynamodb; dynamodb.client()"
CLOCK = "import time; print(time.process_time())"


def rows(environment: Environment) -> list[Row]:
    """Compare each function with boto3 and a client; the costliest of each kind also side by side.

    The last column is FastAPI with that client.
    """
    for program in (BOTO3, FASTAPI):
        _cost(environment, program)  # warm-up: the files are then in memory
    fastapi = min(_cost(environment, FASTAPI) for _ in range(REPETITIONS))
    kinds: dict[str, dict[str, float]] = {}
    for path in sorted((ROOT / "functions").glob("*/*/handler.py")):
        group, name = path.parts[-3:-1]
        reads = name.startswith(READING)
        kind = f"{group}, reading" if reads else group
        program = OURS.format(f"{group}.{name}")
        trials = [_cost(environment, program) for _ in range(TRIALS + 1)]
        kinds.setdefault(kind, {})[name] = min(trials[1:])
    return [_row(environment, kind, functions, fastapi) for kind, functions in kinds.items()]


def _row(environment: Environment, kind: str, functions: dict[str, float], fastapi: float) -> Row:
    group, name = kind.split(",")[0], max(functions, key=lambda each: functions[each])
    program = OURS.format(f"{group}.{name}")
    pairs = [(_cost(environment, program), _cost(environment, BOTO3)) for _ in range(REPETITIONS)]
    ours, boto3 = (min(each) for each in zip(*pairs, strict=True))
    bar = READS if kind.endswith("reading") else WRITES
    return Row(f"{kind}: {name}, of {len(functions)}", (ours, boto3, fastapi), ours / boto3, bar)


def _cost(environment: Environment, program: str) -> float:
    """Run the program; return its CPU since the interpreter started, in milliseconds."""
    output, _ = spawn(environment, "-c", f"{program}\n{CLOCK}").communicate()
    return float(output) * 1000
