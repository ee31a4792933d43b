"""What an email may do by itself that came from anywhere, rather than out of somebody's mailbox."""

from dataclasses import replace

from domain.listening.kinds import Judged, Kind
from domain.listening.message import MatchedBy

_KNOWS_OURS = (MatchedBy.MESSAGE_ID, MatchedBy.THREAD_STRANGER)


def trusted(judged: Judged, *, proven: bool, certain: bool, report: bool) -> Judged:
    """Return what is made of it: the same, or ``unclear``, which holds the person for a day and asks.

    ``proven``: the domain of its sender vouches for it. ``certain``: it carries our opt-out token. ``report``: a machine reports on
    somebody else, so who it comes from proves nothing. Anybody can write an address into From, but only who has our email knows its
    Message-ID. So without a proof, an id or the token an email ends nothing, puts nobody on a list, and sends nobody on leave.
    """
    if judged.match is None or judged.kind in (Kind.OTHER, Kind.UNCLEAR):
        return judged
    if certain or judged.match.matched_by in _KNOWS_OURS or (proven and not report):
        return judged
    why = f"{judged.why} But nothing proves who sent it, and it does not name our email by its Message-ID."
    return replace(judged, kind=Kind.UNCLEAR, bounce=None, return_on=None, opt_out_words=None, why=why)
