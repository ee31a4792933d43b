"""What a form model makes of what was sent: texts as they were typed, whatever was sent in their place."""

from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ConfigDict, Field, SecretStr

from domain.errors import InvalidInput
from tests.web.asking import Asking
from web import main
from web.forms import _WRITTEN, Id, PageForm, Typed

SOMEBODY = "01a1ff2e-82ff-7818-9963-4acc81a9b745"


class Example(PageForm):
    model_config = ConfigDict(extra="allow")
    to: str = ""
    sequences: list[str] = Field(default_factory=list)
    only: Id = None
    password: SecretStr = SecretStr("")


@pytest.fixture
def site() -> Asking:
    app = FastAPI()

    @app.post("/")
    def take(form: Typed[Example]) -> Response:
        whole = [form.sequences, str(form.only), form.password.get_secret_value()]
        return JSONResponse({"typed": form.typed(), "whole": whole})

    @app.exception_handler(InvalidInput)
    def refused(_request: Request, error: InvalidInput) -> Response:
        return PlainTextResponse(str(error), status_code=422)

    return Asking(app)


@pytest.mark.parametrize(
    ("sent", "typed", "whole"),
    [
        ({}, {"to": ""}, [[], "None", ""]),
        ({"data": {"to": "a"}}, {"to": "a"}, [[], "None", ""]),
        ({"data": {"to": ["a", "b"], "x": ["1", "2"]}}, {"to": "b", "x": "2"}, [[], "None", ""]),
        ({"data": {"sequences": "a"}}, {"to": ""}, [["a"], "None", ""]),
        ({"data": {"sequences": ["a", "b"]}}, {"to": ""}, [["a", "b"], "None", ""]),
        ({"data": {"only": SOMEBODY}}, {"to": ""}, [[], SOMEBODY, ""]),
        ({"data": {"only": "' OR 1=1"}}, {"to": ""}, [[], "None", ""]),
        ({"data": {"password": "hunter2"}}, {"to": ""}, [[], "None", "hunter2"]),
        ({"json": {"to": "a"}}, {"to": ""}, [[], "None", ""]),
        ({"files": {"to": ("a.txt", b"a"), "sequences": ("b.txt", b"b")}}, {"to": ""}, [[], "None", ""]),
    ],
)
def test_what_was_sent_is_texts(
    site: Asking, sent: dict[str, Any], typed: dict[str, str], whole: list[object]
) -> None:
    assert site.request("POST", "/", **sent).json() == {"typed": typed, "whole": whole}


@pytest.mark.parametrize("name", ["to", "sequences", "only", "password", "unknown"])
def test_a_nul_is_refused_in_every_field(site: Asking, name: str) -> None:
    answer = site.request("POST", "/", data={name: "a\0b"})
    assert answer.status_code == 422
    assert "NUL" in answer.text


def test_what_cannot_be_read_as_a_form_is_refused(site: Asking) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    assert site.request("POST", "/", content=b"--x", headers=headers).status_code == 400


def test_each_text_of_a_form_is_written_by_somebody_or_chosen() -> None:
    """Who adds a field decides whether it is shown to whoever signed in meanwhile; a secret is no text."""
    assert main
    chosen = {
        *(
            "a_day",
            "act",
            "answer",
            "away_days",
            "code",
            "do",
            "encryption",
            "entity",
            "field",
            "find",
            "fresh",
            "key",
            "kind",
            "outcome",
            "late",
            "next",
            "port",
        ),
        *("q", "reason", "sender", "stop", "to", "until", "verdict", "which", "whose", "zone"),
        *(
            "at",
            "back",
            "backup",
            "closes",
            "days",
            "email_answers",
            "email_decisions",
            "email_news",
            "email_stopped",
            "go_on",
            "hours",
            "mark",
            "middle",
            "opens",
            "person",
            "position",
            "quiet_from",
            "quiet_until",
            "read",
            "role",
            "round",
        ),
        *("step", "then", "unsigned", "thread", "unit", "version", "wait", "was", "what"),
        *("asks", "daily_cap", "decision", "default", "first", "former", "on", "parent", "signature"),
    }
    texts: set[str] = set()
    forms = [each for each in PageForm.__subclasses__() if each is not Example]
    while forms:
        form = forms.pop()
        texts |= {name for name, field in form.model_fields.items() if field.annotation is str}
        forms += form.__subclasses__()
    assert texts == chosen | set(_WRITTEN)
