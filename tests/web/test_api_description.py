"""The API against its own description: every answer is in it, and none is an error of ours."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from db.access.api_keys import SCOPES
from lab.stage import Stage
from tests.web.test_api import key_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_no_request_gets_an_answer_that_is_not_described(
    stage: Stage, site: str, mode: GenerationMode
) -> None:
    hans = stage.world.member("Hans Holder")
    stage.world.enroll(stage.world.sequence(hans, stage.mailbox(hans), ("P1D",)), 2)
    headers = {"Authorization": f"Bearer {key_of(stage.world, *SCOPES)}"}
    schema = schemathesis.openapi.from_url(f"{site}/api/v1/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) >= 130
    for operation in operations:

        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def attempt(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

        attempt()
    assert stage.left() == []
