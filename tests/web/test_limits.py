"""Who asks too often is asked to wait, and only they."""

import httpx
import pytest

from tests.stage import Stage
from tests.web.test_api import Api, is_problem, key_of
from tests.web.test_sequences_settings import PAGE, at_settings, member
from tests.web.visitor import Visitor
from web.limits import ASKS, CALLS, UNKNOWN_KEYS, VISITS


def test_a_visitor_who_starts_sign_ins_without_end_has_to_wait(stage: Stage) -> None:
    visitor = Visitor(stage).get("/sign-in")
    for _ in range(VISITS.amount):
        assert visitor.send("/sign-in").status == 303
    assert visitor.send("/sign-in").status == 429
    assert 1 <= int(visitor.headers["retry-after"]) <= 60
    assert "try again in" in visitor.text
    assert stage.world.one("SELECT count(*) FROM sign_ins") == VISITS.amount


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
        stage.world.run(
            "UPDATE grant_requests SET status = 'declined', settled_at = now() WHERE status = 'open'"
        )
        ritas.get(PAGE)
    ritas.send(f"{PAGE}/requests", mailbox=stage.address(box))
    assert ritas.status == 429
    assert stage.world.one("SELECT count(*) FROM grant_requests") == ASKS.amount
    assert at_settings(stage, mona).send(f"{PAGE}/requests", mailbox=stage.address(box)).status == 303


@pytest.fixture
def client(site: str) -> httpx.Client:
    return httpx.Client(base_url=site, trust_env=False, timeout=30)


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
