"""The matrix: every crash point, every fault, and why some pairs are impossible."""

from itertools import product

_COMMITS = {"send": 4, "reconcile": 2, "revoke": 4, "fan out": 1, "pause": 1, "notify": 2}
_CALLS = {
    "send": ("the draft", "the submission"),
    "renew a token": ("the token request",),
    "reconcile": ("the search",),
    "notify": ("the mail",),
    "tick": ("the message",),
    "relay": ("the message",),
}
_PROVIDER_CALLS = {"before the draft", "before the submission", "before the search"}
_MESSAGES = {"before the message", "after the message"}

POINTS: list[tuple[str, str]] = [
    *[
        (job, f"{when} commit {number}")
        for job, commits in _COMMITS.items()
        for number in range(1, commits + 1)
        for when in ("before", "inside", "after")
    ],
    *[
        (job, f"{when} {call}")
        for job, calls in _CALLS.items()
        for call in calls
        for when in ("before", "after")
    ],
    *[(job, f"{when} commit 1") for job in ("tick", "relay") for when in ("inside", "after")],
]

FAULTS = (
    "killed",
    "frozen beyond its lease",
    "an exception",
    "the database crashes",
    "its database sessions are cut",
    "Redis is emptied",
    "the connection to the provider breaks before it acts",
    "the connection to the provider breaks after it acted",
    "the provider answers 503 and does not act",
    "the provider answers 504 and acts",
    "the permission is revoked",
    "the mailbox is removed and connected again",
    "the person replies",
    "the person unsubscribes",
    "the sequence is paused and resumed",
    "the clock jumps ahead",
    "the clock jumps back",
    "the same job runs again beside it",
)


def impossible(job: str, point: str, fault: str) -> str | None:
    """Why a pair is impossible; None if it is possible."""
    if "provider" in fault and point not in _PROVIDER_CALLS:
        return "no request to the provider begins at this point"
    if fault == "Redis is emptied" and point not in _MESSAGES:
        return "nothing of this point is in Redis; every cell is left without messages afterwards anyway"
    if fault == "the permission is revoked" and job in ("revoke", "fan out", "pause", "notify"):
        return "the permission is revoked already: that is what this job is about"
    return None


CELLS = [
    (job, point, fault)
    for (job, point), fault in product(POINTS, FAULTS)
    if impossible(job, point, fault) is None
]
IMPOSSIBLE = {
    (job, point, fault): reason
    for (job, point), fault in product(POINTS, FAULTS)
    if (reason := impossible(job, point, fault)) is not None
}


def pairwise() -> list[tuple[str, str, str]]:
    """The fewest cells we find with each point, each job with each fault, and each kind of moment with each fault."""

    def pairs(cell: tuple[str, str, str]) -> set[tuple[str, str]]:
        job, point, fault = cell
        return {(job, point), (job, fault), (point.split()[0], fault), (point.split()[-1], fault)}

    wanted = set().union(*(pairs(cell) for cell in CELLS))
    left, chosen = list(CELLS), []
    while wanted:
        best = max(left, key=lambda cell: len(pairs(cell) & wanted))
        chosen.append(best)
        left.remove(best)
        wanted -= pairs(best)
    return chosen
