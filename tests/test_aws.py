"""The clients of AWS. Source: docs/data-model.md, section 9."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import boto3
import pytest

from bridge import aws
from local import database
from tests.conftest import Environment


@pytest.mark.parametrize("service", get_args(aws.Service))
def test_client_is_the_one_that_boto3_makes(environment: Environment, service: aws.Service) -> None:
    ours, theirs = aws.client(service, 3), boto3.client(service, region_name=database.REGION)
    assert type(ours).__mro__[1] is type(theirs).__mro__[1]
    assert ours.meta.service_model.api_version == theirs.meta.service_model.api_version
    assert ours.meta.method_to_api_mapping == theirs.meta.method_to_api_mapping


def test_client_gives_up_soon(environment: Environment) -> None:
    how = aws.client("sqs", 1).meta.config
    assert (how.connect_timeout, how.read_timeout) == (1, 2)
    assert how.retries == {"mode": "standard", "total_max_attempts": 1}


def test_client_is_made_once_by_many_threads(environment: Environment) -> None:
    aws.client.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: aws.client("dynamodb", 3), range(16)))
        assert len({id(aws.client("dynamodb", 3)) for _ in range(4)}) == 1


def test_neither_boto3_nor_its_transfers_are_imported(environment: Environment) -> None:
    program = "import sys; from bridge import aws; aws.client('dynamodb', 3)"
    program += "; print(*{'boto3', 's3transfer', 'multiprocessing'} & sys.modules.keys())"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == []
