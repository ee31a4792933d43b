"""Tables of the numbers of large organizations, which schedulers count ahead (db/sequences/counted.py)."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Interval, Table, Text, Uuid

from db.schema.models import metadata, moment, one_of, organization

# Whose numbers are counted ahead, and when they were.
numbers_counts = Table(
    "numbers_counts",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    moment("counted_at"),
    Column("took", Interval),
)

# Without foreign keys: they are numbers, and what they are about may be gone until the next count.
counted_numbers = Table(
    "counted_numbers",
    metadata,
    organization(),
    Column("viewer_id", Uuid, primary_key=True),  # a member, or the organization itself: all of its emails
    Column("kind", Text, primary_key=True),  # total, or what a row of the table is (``domain.numbers.By``)
    Column("key", Text, primary_key=True),
    # Of emails the week in which they left; of people that of their last one, but in the kind "week" every one.
    Column("week", Date, primary_key=True),
    *(
        Column(name, Integer, nullable=False)
        for name in ("sent", "people", "answered", "interested", "bounced", "opted_out", "in_doubt", "held")
    ),
    one_of("kind", "kind", "total", "week", "step", "sender", "sequence"),
    Index("ix_counted_numbers_organization", "organization_id"),
)
