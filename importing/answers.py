"""What an organization file says about answers and opt-outs, of an organization or a sequence."""

from typing import Any

import yaml

from domain.answer_settings import MOST_AWAY_DAYS, AnswerSettings, StopScope
from domain.errors import InvalidInput
from importing.tree import Reader, is_null

_FIELDS = {"stop": "stop_scope", "opt_out_line": "opt_out_line"}


def read_answers(reader: Reader, node: yaml.Node | None, names: set[str]) -> dict[str, Any] | None:
    """Return the fields of ``AnswerSettings`` that ``answers`` names, or None if it is not there.

    ``names``: what it may hold. What it does not name stays as it is; ``null`` removes what need not be there.
    """
    if node is None:
        return None
    found = reader.mapping(node, "answers", required=set(), optional=names)
    removable = {"opt_out_line"} if "away_days" in names else {"stop", "opt_out_line"}
    removed = {name for name, value in found.items() if name in removable and is_null(value)}
    said: dict[str, Any] = {_FIELDS[name]: None for name in removed}
    found = {name: value for name, value in found.items() if name not in removed}
    scopes = {each.value for each in StopScope}
    if "stop" in found:
        said["stop_scope"] = StopScope(reader.choice(found["stop"], "stop", StopScope.SEQUENCE.value, scopes))
    if "away_days" in found:
        said["away_days"] = reader.number(found["away_days"], "away_days", 5, 1, MOST_AWAY_DAYS)
    if "opt_out_line" in found:
        said["opt_out_line"] = str(reader.plain(found["opt_out_line"]))
    try:
        checked = AnswerSettings(**said).checked()
    except InvalidInput as error:
        reader.wrong(found.get(error.where, node), error.what, error.fix)
        return None
    return {name: getattr(checked, name) for name in said}
