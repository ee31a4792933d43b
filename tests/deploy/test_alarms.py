"""What operators are alarmed by and see is measured, tested and explained: alert rules, the dashboard and the runbook."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import counters
from app.broker import Broker
from lab.factories import World
from scheduler.metrics import SystemCollector

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
DASHBOARD = ROOT / "deploy/grafana/onbehalf.json"
RUNBOOK = ROOT / "docs/runbook.md"
_METRIC = re.compile(r"\bonbehalf_\w+")
_LABELS = re.compile(r"\bonbehalf_(\w+?)(?:_bucket|_count)?\{([^}]*)\}")


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for name, rule in alerts().items():
        yield name, rule["expr"]
    for panel in panels():
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


@pytest.fixture
def exported(world: World, redis_url: str) -> set[str]:
    """The name of every series that a process serves."""
    system = {family.name for family in SystemCollector(world.database, Broker(redis_url)).collect()}
    counted = set()
    for family in counters.REGISTRY.collect():
        ends = ["_total"] if family.type == "counter" else ["_bucket", "_count", "_sum"]
        counted |= {f"{family.name}{end}" for end in ends}
    return system | counted


def test_every_expression_names_a_metric_that_is_served(exported: set[str]) -> None:
    unknown = {
        (where, name)
        for where, text in expressions()
        for name in _METRIC.findall(text)
        if name not in exported
    }
    assert unknown == set()
    assert all(_METRIC.search(text) for _, text in expressions())


def test_every_metric_is_on_the_dashboard_or_alarms(exported: set[str]) -> None:
    named = {name for _, text in expressions() for name in _METRIC.findall(text)}
    seen = {re.sub(r"_(bucket|count|sum)$", "", each) for each in named}
    unseen = {re.sub(r"_(bucket|count|sum)$", "", each) for each in exported} - seen
    # Other views of what is shown.
    assert unseen == {
        "onbehalf_ended_last_hour", "onbehalf_failed_last_day", "onbehalf_held", "onbehalf_lag", "onbehalf_lanes_open",
        "onbehalf_outbox_open", "onbehalf_reviews_total", "onbehalf_sent_last_hour", "onbehalf_sent_last_minute",
        "onbehalf_waiting", "onbehalf_withdrawals_last_hour",
    }  # fmt: skip


def test_every_label_asked_for_is_one_that_the_metric_has() -> None:
    labels = {
        family.name.removeprefix("onbehalf_"): set(collector._labelnames)
        for collector in vars(counters).values()
        if hasattr(collector, "_labelnames")
        for family in collector.collect()
    }
    for where, text in expressions():
        for name, given in _LABELS.findall(text):
            asked = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", given))
            assert asked <= labels[name.removesuffix("_total")], where


def test_every_alert_says_how_bad_it_is_what_happened_and_where_its_entry_is() -> None:
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["annotations"]["summary"].endswith("."), name
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}", name


def test_every_alert_has_an_entry_in_the_runbook_under_its_severity() -> None:
    parts = re.split(r"^## ", RUNBOOK.read_text(), flags=re.MULTILINE)
    entries = {
        each.partition("\n")[0]: (part.partition(":")[0].lower(), each.partition("\n")[2].strip())
        for part in parts
        if not part.startswith("Figures: ")  # of the page Operations: tests/web/test_operations.py
        for each in re.split(r"^### ", part, flags=re.MULTILINE)[1:]
    }
    assert {name: severity for name, (severity, _) in entries.items()} == {
        name: rule["labels"]["severity"] for name, rule in alerts().items()
    }
    assert [name for name, (_, text) in entries.items() if len(text) < 80] == []


def test_every_alert_is_tested_when_it_fires_and_when_it_stays_silent() -> None:
    tested: dict[str, set[bool]] = {}
    for each in yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]:
        for case in each["alert_rule_test"]:
            tested.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert tested == {name: {True, False} for name in alerts()}


@pytest.mark.parametrize(
    "arguments", [["test", "rules", "alerts_test.yml"], ["check", "config", "prometheus.yml"]], ids=["rules", "config"]
)  # fmt: skip
def test_prometheus_takes_the_rules_and_they_do_what_their_tests_say(arguments: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    done = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_is_scraped_and_schedulers_for_the_whole_system() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    asked = {
        (name, config["port"]) for job in jobs for config in job["dns_sd_configs"] for name in config["names"]
    }
    procfile = re.findall(r"^([\w-]+):", (ROOT / "Procfile").read_text(), re.MULTILINE)
    services = {(name, 8080) for name in procfile if name != "release"} | {("scheduler", 9100)}
    pods = {
        ("metrics.onbehalf.svc.cluster.local", 8080),
        ("scheduler-metrics.onbehalf.svc.cluster.local", 9100),
    }
    assert asked == services | pods


def test_no_two_panels_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        fields = {
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        }
        assert not fields & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= fields
    assert len({panel["id"] for panel in panels()}) == len(panels())
