"""The cost of a cold start: CPU of a process that imports a handler and makes its client.

Every function is measured. The table has one row for each kind of functions: the one that costs
most of that kind. A figure is the least of many processes, spread over the whole measurement:
whatever else the machine does only adds to it.
"""

from benchmarks.process import ROOT, Environment, spawn
from benchmarks.table import Row

READS, WRITES = 1.2, 1.35
TRIALS, REPETITIONS = 3, 16
READING = ("get_", "list_", "sweep_", "reconcile_", "read_", "process_", "deliver_", "finish_")
BOTO3 = "import boto3; boto3.client('dynamodb')"
FASTAPI = f"import fastapi, mangum; {BOTO3}"
OURS = "import functions.{}.handler; from bridge.store import dynamodb; dynamodb.client()"
CLOCK = "import time; print(time.process_time())"


def rows(environment: Environment) -> list[Row]:
    """Compare the costliest function of each kind with boto3 and with FastAPI, and a client."""
    kinds: dict[str, list[str]] = {}
    for path in sorted((ROOT / "functions").glob("*/*/handler.py")):
        group, name = path.parts[-3:-1]
        reads = name.startswith(READING) and group != "operations"
        kind = f"{group}, without a body" if reads else group
        kinds.setdefault(kind, []).append(OURS.format(f"{group}.{name}"))
    programs = [program for functions in kinds.values() for program in functions]
    trials = _least(environment, programs, TRIALS)
    dearest = {kind: max(functions, key=trials.__getitem__) for kind, functions in kinds.items()}
    spent = _least(environment, [BOTO3, FASTAPI, *dearest.values()], REPETITIONS)
    return [
        Row(
            name=f"{kind}: {program.split('.')[2]}, of {len(kinds[kind])}",
            figures=(spent[program], spent[BOTO3], spent[FASTAPI]),
            ratio=spent[program] / spent[BOTO3],
            bar=READS if "without" in kind else WRITES,
        )
        for kind, program in dearest.items()
    ]


def _least(environment: Environment, programs: list[str], times: int) -> dict[str, float]:
    """The least CPU of each program, in milliseconds; one warm-up comes first."""
    rounds = [
        {program: _cost(environment, program) for program in programs} for _ in range(times + 1)
    ]
    return {program: min(each[program] for each in rounds[1:]) for program in programs}


def _cost(environment: Environment, program: str) -> float:
    """Run the program; return its CPU since the interpreter started, in milliseconds."""
    output, _ = spawn(environment, "-c", f"{program}\n{CLOCK}").communicate()
    return float(output) * 1000
