"""What an organization file says about answers and opt-outs, of an organization or a sequence."""

import yaml

from domain.answer_settings import MOST_AWAY_DAYS, AnswerSettings, StopScope
from domain.errors import InvalidInput
from importing.tree import Reader


def read_answers(reader: Reader, node: yaml.Node | None, names: set[str]) -> AnswerSettings | None:
    """Return what ``answers`` says, or None if it is not there. ``names``: what it may hold."""
    if node is None:
        return None
    found = reader.mapping(node, "answers", required=set(), optional=names)
    scopes = {each.value for each in StopScope}
    days = reader.number(found.get("away_days"), "away_days", 5, 1, MOST_AWAY_DAYS)
    settings = AnswerSettings(
        StopScope(reader.choice(found["stop"], "stop", StopScope.SEQUENCE.value, scopes))
        if "stop" in found
        else None,
        days if "away_days" in found else None,
        str(reader.plain(found["opt_out_line"])) if "opt_out_line" in found else None,
    )
    try:
        return settings.checked()
    except InvalidInput as error:
        reader.wrong(found.get(error.where, node), error.what, error.fix)
        return None
