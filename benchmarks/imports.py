"""The cost of a cold start: CPU of a process that imports a handler and makes its client."""

from statistics import median

from benchmarks.process import Environment, spawn
from benchmarks.table import Row

BAR = 1.6
REPETITIONS = 7
KINDS = {
    "payments, reading": "native.get_payment",
    "payments, writing": "native.confirm_payment",
    "customers": "native.get_customer",
    "the schedule": "jobs.sweep_payments",
    "operators": "operations.inspect_payment",
    "no store at all": "operations.unmatched",
}
BOTO3 = "import boto3; boto3.client('dynamodb')"
FASTAPI = f"import fastapi, mangum; {BOTO3}"
OURS = "import functions.{}.handler; from bridge.store import dynamodb; dynamodb.client()"
CLOCK = "import time; print(time.process_time())"


def rows(environment: Environment) -> list[Row]:
    """Compare each kind of handler with boto3 and a client, and with FastAPI and that client."""
    programs = (BOTO3, FASTAPI, *map(OURS.format, KINDS.values()))
    for program in programs:
        _cost(environment, program)  # warm-up: the files are then in memory
    fastapi = median(_cost(environment, FASTAPI) for _ in range(REPETITIONS))
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in KINDS}
    for _ in range(REPETITIONS):
        for name, module in KINDS.items():
            pair = _cost(environment, OURS.format(module)), _cost(environment, BOTO3)
            spent[name].append(pair)
    return [_row(f"{name}: {KINDS[name]}", pairs, fastapi) for name, pairs in spent.items()]


def _row(name: str, pairs: list[tuple[float, float]], fastapi: float) -> Row:
    ours, boto3 = (median(each) for each in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    return Row(name, (ours, boto3, fastapi), ratio, BAR)


def _cost(environment: Environment, program: str) -> float:
    """Run the program; return its CPU since the interpreter started, in milliseconds."""
    output, _ = spawn(environment, "-c", f"{program}\n{CLOCK}").communicate()
    return float(output) * 1000
