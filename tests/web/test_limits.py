"""Who asks too often is asked to wait, and only they."""

import ast
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog
from fastapi import Request

from actions import smtp, verify
from app.limiter import MAX_SLOW, Limiter
from app.rates import ARRIVALS, ASKS, CALLS, CHECKS, TESTS, UNKNOWN_KEYS, VISITS, Rate
from domain.errors import TooMany
from lab.access_records import GrantRequest, SignIn
from lab.embedded import EmbeddedRedis
from lab.records import Sequence
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_api import API, Api, is_problem, key_of
from tests.web.test_sequences_settings import PAGE, at_settings, member
from tests.web.visitor import Visitor, email_of
from web.limits import _warned, warn_of_proxy
from web.source import source_of


def test_a_visitor_who_starts_sign_ins_without_end_has_to_wait(stage: Stage) -> None:
    visitor = Visitor(stage).get("/sign-in")
    for _ in range(ARRIVALS.amount):
        stage.runtime.limiter.count(ARRIVALS, "arrival", "127.0.0.1")
    assert visitor.send("/sign-in").status == 429
    assert 1 <= int(visitor.headers["retry-after"]) <= 60
    assert "Try again in" in visitor.text
    assert stage.count(SignIn) == 0


def test_a_member_is_counted_by_themselves_and_not_by_the_address_they_share(stage: Stage) -> None:
    hans, rita = member(stage, "Hans Holder"), member(stage, "Rita Recruiter")
    visitors = at_settings(stage, hans), at_settings(stage, rita)
    for _ in range(VISITS.amount):
        assert visitors[0].get(PAGE).send(f"{PAGE}/connect").status == 303
    assert visitors[0].get(PAGE).send(f"{PAGE}/connect").status == 429
    assert visitors[1].get(PAGE).send(f"{PAGE}/connect").status == 303


def asked_from(host: str, **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": (host, 1), "headers": named, "path": "/", "query_string": b""})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_whoever_has_one_address_of_a_network_has_them_all(one: str, other: str, same: bool) -> None:
    assert (source_of(asked_from(one).scope) == source_of(asked_from(other).scope)) is same


def test_a_proxy_that_is_not_believed_is_named_once(
    caplog_of_structlog: list[MutableMapping[str, Any]],
) -> None:
    warn_of_proxy(asked_from("172.18.0.1", x_forwarded_for="203.0.113.9"))
    warn_of_proxy(asked_from("172.18.0.1", x_forwarded_for="203.0.113.10"))
    warn_of_proxy(asked_from("203.0.113.9", x_forwarded_for="203.0.113.9"))  # uvicorn believes it
    warn_of_proxy(asked_from("172.18.0.7"))
    assert [(each["event"], each["peer"]) for each in caplog_of_structlog] == [
        ("proxy_not_trusted", "172.18.0.1")
    ]


@pytest.fixture
def caplog_of_structlog() -> Iterator[list[MutableMapping[str, Any]]]:
    _warned.clear()
    with structlog.testing.capture_logs() as logs:
        yield logs
    _warned.clear()


def test_processes_share_one_count_and_go_on_counting_without_redis(
    redis_server: EmbeddedRedis, redis_url: str
) -> None:
    one, other = Limiter(redis_url), Limiter(redis_url)
    few = Rate(4, "minute")
    for limiter in (one, other, one, other):
        limiter.count(few, "thing", "somebody")
    for limiter in (one, other):
        with pytest.raises(TooMany, match="Try again in"):
            limiter.count(few, "thing", "somebody")
        limiter.count(few, "thing", "somebody else")
        limiter.close()
    away = Limiter("redis://127.0.0.1:1/0")
    for _ in range(4):
        away.count(few, "thing", "somebody")
    with pytest.raises(TooMany):
        away.count(few, "thing", "somebody")
    away.close()


def test_few_slow_things_of_an_organization_run_at_once_and_others_have_their_own_room(stage: Stage) -> None:
    limiter, mine, theirs = stage.runtime.limiter, uuid4(), uuid4()
    with ExitStack() as running:
        for _ in range(MAX_SLOW):
            running.enter_context(limiter.slowly(mine))
        with pytest.raises(TooMany, match="running already"), limiter.slowly(mine):
            pass
        with limiter.slowly(theirs):
            pass
    with limiter.slowly(mine):
        pass


def test_tests_are_counted_in_the_action_whoever_asks(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    for _ in range(TESTS.amount):
        stage.runtime.limiter.count(TESTS, "test", str(box))
    with pytest.raises(TooMany):
        verify.verify_settings(stage.runtime, box)
    with pytest.raises(TooMany):
        verify.send_test_email(stage.runtime, box, actor="Hans")
    with pytest.raises(TooMany):
        smtp.test(stage.runtime, box, actor="Hans")
    assert stage.left() == []


def test_a_colleague_is_not_flooded_with_requests(stage: Stage) -> None:
    hans, rita, mona = (
        member(stage, "Hans Holder"),
        member(stage, "Rita Recruiter"),
        member(stage, "Mona Member"),
    )
    box = stage.mailbox(hans)
    ritas = at_settings(stage, rita)
    for _ in range(ASKS.amount):
        ritas.send(f"{PAGE}/requests", mailbox=stage.address(box))
        assert ritas.status == 303
        stage.put(GrantRequest, where={"status": "open"}, status="declined", settled_at=ago())
        ritas.get(PAGE)
    ritas.send(f"{PAGE}/requests", mailbox=stage.address(box))
    assert ritas.status == 429
    assert stage.count(GrantRequest) == ASKS.amount
    assert at_settings(stage, mona).send(f"{PAGE}/requests", mailbox=stage.address(box)).status == 303


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site, trust_env=False, timeout=30) as opened:
        yield opened


def test_keys_cannot_be_guessed_at_speed_and_good_ones_go_on(stage: Stage, client: httpx.Client) -> None:
    good = Api(client, key_of(stage.world, "read"))
    for number in range(UNKNOWN_KEYS.amount):
        is_problem(Api(client, f"ob_{number}").get("/members"), 401)
    refused = Api(client, "ob_more").get("/members")
    is_problem(refused, 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert good.get("/members").status_code == 200
    client.close()


def test_one_key_does_not_take_the_place_of_another(stage: Stage, client: httpx.Client) -> None:
    hasty, other = (Api(client, key_of(stage.world, "read")) for _ in range(2))
    answers = [hasty.get("/members").status_code for _ in range(CALLS.amount + 1)]
    assert answers[:-1] == [200] * CALLS.amount
    assert answers[-1] == 429
    assert other.get("/members").status_code == 200
    client.close()


def test_files_of_people_are_counted_for_the_organization_whoever_sends_them(
    stage: Stage, client: httpx.Client
) -> None:
    rita = member(stage, "Rita Recruiter")
    stage.world.sequence(rita, stage.mailbox(rita))
    sequence = str(stage.only(Sequence).id)
    for _ in range(CHECKS.amount - 1):
        stage.runtime.limiter.count(CHECKS, "file", str(stage.world.organization_id))
    visitor = Visitor(stage).sign_in(email_of(stage, rita)).get("/people/import")
    visitor.upload("/people/import", "people.csv", b"Email\na@kestrel.example\n", sequence=sequence)
    assert visitor.status == 303
    checked = visitor.url
    assert (
        visitor.get("/people/import").upload("/people/import", "b.csv", b"Email\nb@c.example\n").status == 429
    )
    assert visitor.get(checked).send(checked, do="check", sequence=sequence).status == 429
    key = key_of(stage.world, "read", "manage")
    answer = client.post(
        f"{API}/people/imports",
        files={"file": ("people.csv", b"Email\nb@kestrel.example\n")},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


UNCOUNTED = {"people.erase"}  # it begins with a withdrawal, and those are never refused for their rate


def whole(name: str, functions: Mapping[str, str]) -> str:
    """A function's text with that of the private ones that it calls."""
    text = functions[name]
    called = [each for each in functions if each.startswith("_") and each != name and f"{each}(" in text]
    return "\n".join([text, *(whole(each, functions) for each in called)])


def test_every_action_that_waits_for_a_worker_or_a_server_counts_itself() -> None:
    waits = r"errands\.(ask|verdict)\(|resolve\(|people_imports\.(store|check_again)\("
    waiting, counting = set(), set()
    for path in (Path(__file__).parents[2] / "actions").glob("*.py"):
        functions = {
            each.name: ast.unparse(each)
            for each in ast.parse(path.read_text()).body
            if isinstance(each, ast.FunctionDef)
        }
        for name in functions:
            text = whole(name, functions)
            if path.stem == "errands" or name.startswith("_") or not re.search(waits, text):
                continue
            waiting.add(f"{path.stem}.{name}")
            if "runtime.limiter." in text:
                counting.add(f"{path.stem}.{name}")
    assert len(counting) >= 8
    assert waiting - counting == UNCOUNTED
