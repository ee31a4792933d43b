"""The CI workflow is valid, may only read, and runs .ci/run."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_the_workflow_keeps_to_githubs_schema() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_the_workflow_only_reads_and_runs_the_steps_that_run_anywhere() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert any(".ci/run" in step.get("run", "") for step in steps)
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())


def test_every_python_that_the_product_takes_is_tried() -> None:
    (takes,) = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    tried = yaml.safe_load(WORKFLOW.read_text())["jobs"]["pythons"]["strategy"]["matrix"]["python"]
    assert tried == [f"3.{minor}" for minor in range(int(takes[0]), int(takes[1]))]
