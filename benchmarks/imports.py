"""What a cold start costs: CPU of a fresh process that imports a handler and makes its client."""

from statistics import median

from benchmarks.process import Environment, spawn
from benchmarks.table import Row

BAR = 1.6
ROUNDS = 7
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
OURS = "import functions.{}.handler; from bridge.store import table; table.client()"
CLOCK = "import time; print(time.process_time())"


def rows(environment: Environment) -> list[Row]:
    """Each kind of handler against boto3 with a client and FastAPI with the same client."""
    programs = (BOTO3, FASTAPI, *map(OURS.format, KINDS.values()))
    for program in programs:
        _cost(environment, program)  # from here on the files are in memory
    fastapi = median(_cost(environment, FASTAPI) for _ in range(ROUNDS))
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in KINDS}
    for _ in range(ROUNDS):
        for name, module in KINDS.items():
            pair = _cost(environment, OURS.format(module)), _cost(environment, BOTO3)
            spent[name].append(pair)
    return [_row(f"{name}: {KINDS[name]}", pairs, fastapi) for name, pairs in spent.items()]


def _row(name: str, pairs: list[tuple[float, float]], fastapi: float) -> Row:
    ours, boto3 = (median(each) for each in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    return Row(name, (ours, boto3, fastapi), ratio, BAR)


def _cost(environment: Environment, program: str) -> float:
    """Milliseconds of CPU from the interpreter's start."""
    told, _ = spawn(environment, "-c", f"{program}\n{CLOCK}").communicate()
    return float(told) * 1000
