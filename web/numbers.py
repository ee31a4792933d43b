"""Numbers: what sequences did, by week, step, sender or sequence, as a picture, a table and a file."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from db.views import numbers
from db.views.numbers import Line, Report
from domain.cells import as_text
from domain.numbers import DEFAULT_WEEKS, MEANINGS, SHARE_OF, WEEKS, By, Numbers
from web.downloads import as_csv, download
from web.forms import id_of
from web.messages import viewer_of
from web.pages import counted, page
from web.protection import Runtimed, SignedIn, transaction_of

router = APIRouter(prefix="/numbers")

_ROWS = {By.WEEK: "Week", By.STEP: "Step", By.SENDER: "Sender", By.SEQUENCE: "Sequence"}
_SHARES = ("answered", "interested", "bounced", "opted_out")  # those of which pages give a share


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; anything else than what there is becomes the default."""

    by: By
    weeks: int
    sequence_id: UUID | None
    after: int

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """Read the address."""
        asked = request.query_params
        by, weeks, after = asked.get("by", ""), asked.get("weeks", ""), asked.get("after", "")
        return cls(
            By(by) if by in set(By) else By.WEEK,
            int(weeks) if weeks in {str(each) for each in WEEKS} else DEFAULT_WEEKS,
            id_of(asked.get("sequence", "")),
            int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0,
        )

    def to(self, path: str = "/numbers", **changed: object) -> str:
        """Return the address of the same numbers with something changed."""
        given = {"by": self.by, "weeks": self.weeks, "sequence": self.sequence_id, "after": 0, **changed}
        return f"{path}?{urlencode({name: value for name, value in given.items() if value})}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A week's two bars in the picture: where they begin, and how high they are of 100."""

    at: int
    sent: float
    answered: float


@router.get("")
def show(request: Request) -> Response:
    """Show the numbers of a period, as far as the member may see them."""
    asked = Asked.of(request)
    with transaction_of(request) as (tx, session):
        found = numbers.read(
            tx,
            viewer_of(session),
            asked.by,
            weeks=asked.weeks,
            sequence_id=asked.sequence_id,
            after=asked.after,
        )
        return page(
            request,
            "numbers.html",
            asked=asked,
            report=found,
            bars=_bars(found.weeks),
            described=_described(found.weeks),
            rows=_ROWS,
            shares=_SHARES,
            meanings=MEANINGS,
            share_of=SHARE_OF,
            periods=WEEKS,
            next=asked.to(after=asked.after + numbers.PER_PAGE) if found.more else "",
            first=asked.to() if asked.after else "",
        )


@router.get("/export.csv")
def export(request: Request, session: SignedIn, runtime: Runtimed) -> Response:
    """Return all rows of the table as a file."""
    asked, viewer = Asked.of(request), viewer_of(session)

    def rows() -> Iterator[Sequence[object]]:
        with runtime.database.transaction() as tx:
            found = numbers.read(
                tx,
                viewer,
                asked.by,
                weeks=asked.weeks,
                sequence_id=asked.sequence_id,
                limit=numbers.ALL,
            )
        yield from _table(found)

    name, kind = f"numbers-by-{asked.by}.csv", "text/csv; charset=utf-8"
    return download(runtime, viewer.organization_id, as_csv(rows()), name=name, kind=kind)


def _table(report: Report) -> Iterator[Sequence[object]]:
    """Yield the table, with the numbers as numbers."""
    yield [report.by.value, *(each.name for each in fields(Numbers))]
    for line in report.lines:
        label = line.key if report.by is By.WEEK else line.label
        yield [as_text(label), *asdict(line.numbers).values()]


def _bars(weeks: list[Line]) -> list[Bar]:
    most = max((max(each.numbers.sent, each.numbers.answered) for each in weeks), default=0) or 1
    return [
        Bar(at * 10, round(100 * each.numbers.sent / most, 1), round(100 * each.numbers.answered / most, 1))
        for at, each in enumerate(weeks)
    ]


def _described(weeks: list[Line]) -> str:
    """The picture in words: its range, and the week with the most."""
    best = max(weeks, key=lambda each: each.numbers.sent)
    if not best.numbers.sent:
        return f"No email left from {weeks[0].label} to {weeks[-1].label}."
    return (
        f"From {weeks[0].label} to {weeks[-1].label}. Most emails left in the week {best.label}:"
        f" {counted(best.numbers.sent, 'email', 'emails')}, and"
        f" {counted(best.numbers.answered, 'person', 'people')} answered them. The table below has every week."
    )
