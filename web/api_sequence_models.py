"""What the JSON API takes and answers about sequences (``web/api_sequences.py``)."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from actions.building import MAX_FIELDS
from domain.approval import StepKind
from domain.hand_edits import MAX_STEPS
from web.api_models import Asked


class Reason(Asked):
    """Why, in a few words; kept in the audit trail."""

    reason: str = Field(min_length=1)


class Span(Asked):
    """Hours of one day, in local time."""

    opens: str = Field(alias="from")
    closes: str = Field(alias="to")


class Hours(Asked):
    """When emails may leave, in local time. ``holidays``: dates. ``by_day``: weekdays that have other hours, such as fri."""

    zone: str = "UTC"
    days: list[str] | None = None
    opens: str = Field(default="00:00", alias="from")
    closes: str = Field(default="00:00", alias="to")
    holidays: list[str] = Field(default_factory=list, max_length=500)
    by_day: dict[str, Span] = Field(default_factory=dict, max_length=7)


class Draft(Asked):
    """A new sequence. ``owner_id``: a member. ``sender_id``: a mailbox that they may use; null: the first that they may.

    ``sending``: null: the organization's hours. ``fields``: of people, besides those that everybody has. ``with_signature``: its emails
    end with its mailbox's signature.
    """

    owner_id: UUID
    name: str = Field(min_length=1)
    sender_id: UUID | None = None
    sending: Hours | None = None
    fields: list[str] = Field(default_factory=list, max_length=MAX_FIELDS)
    with_signature: bool = True


class Changed(Asked):
    """All settings of a sequence. ``version``: of the sequence as you read it. ``with_signature`` null: unchanged. ``preview``: only say what it means."""

    version: int
    name: str = Field(min_length=1)
    sender_id: UUID
    sending: Hours | None = None
    fields: list[str] = Field(default_factory=list, max_length=MAX_FIELDS)
    with_signature: bool | None = None
    preview: bool = False


class Text(Asked):
    """What a step says. ``delay``: after the step before, such as PT4H, P3D, 3 business days or 1 business day at 09:00. ``subject`` null: same thread, or a task.

    ``kind``: automatic; approval: its emails wait until somebody has approved them; or task: somebody does it, nothing leaves, and
    the first line of ``body`` says what to do. Null: unchanged, or automatic if new. An email never becomes a task, nor a task an email.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=600_000)

    delay: str = Field(max_length=40)
    subject: str | None = Field(default=None, max_length=255)
    body: str
    kind: StepKind | None = None


class NewStep(Text):
    """A step to add. ``position``: from 1, null: the end. ``go_on``: people who had finished get it. ``preview``: only say what it means."""

    position: int | None = Field(default=None, ge=1, le=MAX_STEPS)
    go_on: bool = False
    preview: bool = False


class ChangedStep(Text):
    """A step's other words. ``version``: of the step as you read it. ``preview``: only say what it means."""

    version: int
    preview: bool = False


class Move(Asked):
    """Another place. ``was``: the position as you read it. ``preview``: only say what it means."""

    was: int = Field(ge=1)
    to: int = Field(ge=1)
    preview: bool = False


class Removal(Asked):
    """``version``: of the step as you read it. ``preview``: only say what it means."""

    version: int
    preview: bool = False


class Copy(Asked):
    """``owner_id``: the member whose the copy is."""

    owner_id: UUID


class Test(Asked):
    """``member_id``: who gets it. ``enrollment_id``: whose fields it has; null: the member's."""

    member_id: UUID
    enrollment_id: UUID | None = None


class Made(BaseModel):
    """The sequence's id."""

    id: UUID


class Meaning(BaseModel):
    """What an edit means for the people in the sequence, in sentences. ``changed``: false if it was so already."""

    changed: bool
    sentences: list[str]


class Step(BaseModel):
    """A step, and what became of it."""

    id: UUID
    position: int
    delay: str
    subject: str | None
    body: str
    kind: StepKind
    version: int
    sent: int
    waiting: int


class Whole(BaseModel):
    """A sequence with its steps. ``lacks``: what keeps it from starting, with its place (``step`` 0: of no step)."""

    id: UUID
    name: str
    status: str
    version: int
    owner_id: UUID
    sender_id: UUID
    sending: dict[str, Any] | None
    fields: list[str]
    with_signature: bool
    steps: list[Step]
    lacks: list[dict[str, Any]]
