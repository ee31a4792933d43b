"""Reading a mailbox by the time of receipt, as the emulator plays Graph."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.lab.emulator.local import MESSAGES, RITA, Local, at, code

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
ORDER = {"$orderby": "receivedDateTime"}


@pytest.fixture
def graph() -> Iterator[Local]:
    local = Local()
    yield local
    local.runner.close()


def moment(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def came(graph: Local, seconds: float, **values: Any) -> str:
    given = {"from": "anna@example.org", "received_at": moment(seconds), "subject": str(seconds)} | values
    return str(graph.control("incoming", mailbox=RITA, values=given)["id"])


def since(seconds: float, operator: str = "ge") -> dict[str, str]:
    return {"$filter": f"receivedDateTime {operator} {moment(seconds)}"}


def subjects(items: list[dict[str, Any]]) -> list[str]:
    return [each["subject"] for each in items]


def test_items_of_all_folders_are_listed_from_a_moment_on_in_the_order_of_receipt(graph: Local) -> None:
    came(graph, 30, folder="archive")
    came(graph, 10, folder="junkemail")
    came(graph, 20)
    came(graph, 0)
    assert subjects(graph.listed(**since(10), **ORDER)) == ["10", "20", "30"]
    assert subjects(graph.listed(**since(10, "gt"), **ORDER)) == ["20", "30"]
    assert subjects(graph.listed(**since(20, "le"), **{"$orderby": "receivedDateTime desc"})) == [
        "20",
        "10",
        "0",
    ]
    both = {"$filter": f"receivedDateTime ge {moment(10)} and receivedDateTime lt {moment(30)}"}
    assert subjects(graph.listed(**both, **ORDER)) == ["10", "20"]
    assert subjects(graph.listed("inbox", **since(0), **ORDER)) == ["0", "20"]


def test_exchange_compares_parts_of_a_second_that_it_does_not_show(graph: Local) -> None:
    came(graph, 10.7)
    (item,) = graph.listed(**since(10, "gt"))
    assert item["receivedDateTime"] == moment(10)


def test_the_order_must_lead_the_filter(graph: Local) -> None:
    behind = {"$filter": f"isDraft eq false and receivedDateTime ge {moment(0)}"}
    assert code(graph("GET", MESSAGES, params=behind | ORDER)) == (400, "InefficientFilter")
    first = {"$filter": f"receivedDateTime ge {moment(0)} and isDraft eq false"}
    assert graph("GET", MESSAGES, params=first | ORDER).status_code == 200


def paged(graph: Local, **query: str) -> list[list[str]]:
    """The subjects of each page, as the links lead."""
    pages, path = [], MESSAGES
    while True:
        answer = graph("GET", path, params=query).json()
        pages.append(subjects(answer["value"]))
        link = urlsplit(answer.get("@odata.nextLink", ""))
        if not link.path:
            return pages
        path, query = link.path, dict(parse_qsl(link.query))


def test_a_long_list_comes_in_pages(graph: Local) -> None:
    for number in range(5):
        came(graph, number)
    assert paged(graph, **since(0), **ORDER, **{"$top": "2"}) == [["0", "1"], ["2", "3"], ["4"]]
    assert subjects(graph.listed(**since(0), **ORDER, **{"$skip": "3"})) == ["3", "4"]
    graph.switch(next_links=False)
    assert paged(graph, **since(0), **ORDER, **{"$top": "2"}) == [["0", "1"]]
    graph.switch(next_links=True, repeats_across_pages=True)
    assert paged(graph, **since(0), **ORDER, **{"$top": "2"}) == [
        ["0", "1"],
        ["1", "2"],
        ["2", "3"],
        ["3", "4"],
    ]


def test_what_is_exactly_at_the_boundary_may_be_left_out(graph: Local) -> None:
    came(graph, 10)
    assert len(graph.listed(**since(10))) == 1
    graph.switch(includes_the_boundary=False)
    assert graph.listed(**since(10)) == []
    assert len(graph.listed(**since(9.5))) == 1


def test_headers_are_shown_where_they_are_selected_unless_exchange_drops_them(graph: Local) -> None:
    item = came(graph, 0, headers={"X-Key": "7", "Auto-Submitted": "auto-replied"})
    came(graph, 1, drops_headers=True)
    (with_headers, without) = graph.listed(**ORDER, **{"$select": "internetMessageHeaders"})
    assert {"name": "X-Key", "value": "7"} in with_headers["internetMessageHeaders"]
    assert "internetMessageHeaders" not in without
    assert "internetMessageHeaders" not in graph("GET", at(item)).json()
    graph.switch(shows_headers=False)
    assert "internetMessageHeaders" not in graph.listed(**ORDER, **{"$select": "internetMessageHeaders"})[0]


def test_several_properties_are_expanded_with_ids_of_graphs_own_spelling_or_none_at_all(graph: Local) -> None:
    came(graph, 0, in_reply_to="<ours@acme.example>")
    expand = {
        "$expand": "singleValueExtendedProperties($filter=id eq 'String 0x001A' or id eq 'String 0x1042')"
    }
    (item,) = graph.listed(**expand)
    assert item["singleValueExtendedProperties"] == [
        {"id": "String 0x1a", "value": "IPM.Note"},
        {"id": "String 0x1042", "value": "<ours@acme.example>"},
    ]
    graph.switch(expands_several=False)
    assert "singleValueExtendedProperties" not in graph.listed(**expand)[0]
    (one,) = graph.listed(**{"$expand": "singleValueExtendedProperties($filter=id eq 'String 0x001A')"})
    assert len(one["singleValueExtendedProperties"]) == 1


def test_a_body_is_text_if_that_is_preferred_and_what_is_new_can_be_asked_for(graph: Local) -> None:
    text = "Yes, gladly.\n\nOn 2027-01-04 rita@acme.example wrote:\n> An offer\n"
    item = came(graph, 0, text=text, html="<p>Yes, <b>gladly</b>.</p>", attachments={"cv.pdf": "12345"})
    assert graph("GET", at(item)).json()["body"] == {
        "contentType": "html",
        "content": "<p>Yes, <b>gladly</b>.</p>\n",
    }
    prefer = {
        "headers": {"Authorization": f"Bearer {graph.token}", "Prefer": 'outlook.body-content-type="text"'}
    }
    asked = prefer | {"params": {"$select": "body,uniqueBody"}}
    (answer,) = graph.call(("GET", at(item), asked))
    assert answer.headers["Preference-Applied"] == 'outlook.body-content-type="text"'
    assert answer.json()["body"] == {"contentType": "text", "content": text}
    assert answer.json()["uniqueBody"] == {"contentType": "text", "content": "Yes, gladly."}
    (file,) = graph("GET", at(item, "/attachments")).json()["value"]
    assert (file["name"], file["size"], file["contentType"]) == ("cv.pdf", 5, "application/octet-stream")


def test_a_search_finds_by_sender_newest_first_and_takes_no_filter(graph: Local) -> None:
    came(graph, 0)
    came(graph, 1)
    came(graph, 2, **{"from": "bert@example.org"})
    search = {"$search": '"from:anna@example.org"'}
    assert subjects(graph.listed(**search)) == ["1", "0"]
    assert subjects(graph.listed(**{"$search": '"subject:2"'})) == ["2"]
    assert code(graph("GET", MESSAGES, params=search | since(0)))[0] == 400


def test_what_is_hidden_is_found_by_search_and_by_its_message_id_only(graph: Local) -> None:
    item = came(graph, 0, hidden=True, message_id="<away@acme.example>")
    assert graph.listed() == graph.listed("inbox") == graph.listed(**since(0)) == []
    assert len(graph.listed(**{"$search": '"from:anna@example.org"'})) == 1
    assert len(graph.listed(**{"$filter": "internetMessageId eq '<away@acme.example>'"})) == 1
    assert graph("GET", at(item)).status_code == 200
    graph.switch(search_finds_hidden=False)
    assert graph.listed(**{"$search": '"from:anna@example.org"'}) == []
    graph.switch(hides_own_tenants_replies=False)
    came(graph, 1, hidden=True)
    assert subjects(graph.listed()) == ["1"]
