"""The live view of a running system; on something that is no terminal, one plain line every few seconds."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

import redis
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.redis_url import connect
from db.core.session import Database, DatabaseUnavailable
from db.views import dashboard
from domain.jobs import QUEUES
from domain.mailbox_state import mailbox_state

_LINE_EVERY = 5.0
_COLOURS = {"ok": "green", "info": "cyan", "bad": "red", "": "dim"}


def watch(
    database: Database,
    redis_url: str,
    *,
    until: Callable[[], bool] = lambda: False,
    console: Console | None = None,
    as_json: bool = False,
) -> None:
    """Show it until Ctrl-C or until ``until()``. ``as_json``: a line of JSON every few seconds."""
    broker = connect(redis_url, socket_timeout=1)
    screen = console or Console()
    try:
        if sys.stdout.isatty() and not as_json:
            with Live(Text("Starting …"), console=screen, refresh_per_second=4) as live:
                while not until():
                    live.update(_picture(database, broker))
                    time.sleep(0.5)
            return
        next_line = 0.0
        while not until():
            if time.monotonic() >= next_line:
                next_line = time.monotonic() + _LINE_EVERY
                print((_json if as_json else _line)(database, broker), flush=True)
            time.sleep(0.2)
    except KeyboardInterrupt:
        return
    finally:
        broker.close()


def _depth(broker: redis.Redis) -> str:
    try:
        return str(sum(int(str(broker.hlen(f"dramatiq:{queue}.msgs"))) for queue in QUEUES))
    except redis.RedisError:
        return "away"


def _line(database: Database, broker: redis.Redis) -> str:
    try:
        with database.transaction() as tx:
            now = dashboard.overview(tx)
    except DatabaseUnavailable as error:
        return str(error)
    return (
        f"due {now.due}  queued {now.queued}  sending {now.sending}  sent/min {now.sent_last_minute}"
        f"  sent/h {now.sent_last_hour}  planned {now.waiting}  held {now.held}  in doubt {now.in_doubt}"
        f"  review {now.review}  redis {_depth(broker)}  overdue for no reason {now.overdue_for_no_reason}"
    )


def _json(database: Database, broker: redis.Redis) -> str:
    try:
        with database.transaction() as tx:
            now = asdict(dashboard.overview(tx))
    except DatabaseUnavailable as error:
        now = {"error": str(error)}
    return json.dumps(now | {"redis": _depth(broker)})


def _picture(database: Database, broker: redis.Redis) -> Group | Text:
    try:
        with database.transaction() as tx:
            now = dashboard.overview(tx)
            paces = dashboard.paces(tx, limit=8)
            notices = dashboard.notices(tx, channel="in_app", limit=3)
    except DatabaseUnavailable as error:
        return Text(str(error), style="red")
    numbers = Table.grid(padding=(0, 3))
    for _ in range(4):
        numbers.add_column(justify="left")
    numbers.add_row(
        f"[b]{now.due}[/] due",
        f"[b]{now.queued}[/] queued",
        f"[b]{now.sending}[/] sending",
        f"[b]{now.sent_last_minute}[/] sent/min",
    )
    numbers.add_row(
        f"[b]{now.waiting}[/] planned",
        f"[b]{now.held}[/] held",
        _loud(now.in_doubt, "in doubt"),
        _loud(now.review, "in review"),
    )
    numbers.add_row(
        f"[b]{now.sent_last_hour}[/] sent/h",
        f"redis [b]{_depth(broker)}[/]",
        _loud(now.overdue_for_no_reason, "overdue for no reason"),
        _loud(now.outbox_parked, "jobs parked"),
    )
    boxes = Table(box=None, pad_edge=False, expand=True, header_style="dim")
    for name in ("mailbox", "pace (of 30 a minute)", "today", "state"):
        boxes.add_column(name)
    for each in paces:
        bar = "█" * min(30, each.sent_last_minute) + "·" * (30 - min(30, each.sent_last_minute))
        state = mailbox_state(each.status, each.reason)
        boxes.add_row(
            escape(each.address),
            f"[cyan]{bar}[/] {each.sent_last_minute}",
            f"{each.sent_today}/{each.daily_cap}",
            f"[{_COLOURS[state.colour]}]{escape(state.word)}[/]",
        )
    newest = Table.grid(padding=(0, 2))
    for notice in notices:
        newest.add_row(
            f"{notice.created_at:%H:%M:%S}", escape(notice.title), f"[dim]{escape(notice.recipient)}[/]"
        )
    if not notices:
        newest.add_row("[dim]no notices yet[/]")
    return Group(
        Panel(numbers, title="Onbehalf", title_align="left"),
        Panel(boxes, title="Mailboxes", title_align="left"),
        Panel(newest, title="Last notices", title_align="left"),
    )


def _loud(count: int, what: str) -> str:
    return f"[b red]{count}[/] {what}" if count else f"[dim]0[/] {what}"
