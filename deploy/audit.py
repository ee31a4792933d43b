"""``make audit``: known vulnerabilities in the packages that an image installs, and their list (CycloneDX).

Exit code 0: none known. 1: some known. 3: the service could not be asked, or not about everything, so we know nothing.
pip-audit itself reports "No known vulnerabilities found" even for packages it could not ask about; we do not count that.
"""

import json
import subprocess
import sys
from pathlib import Path

_LOCK = Path(__file__).with_name("requirements.lock")
NONE_KNOWN, SOME_KNOWN, NOT_KNOWN = 0, 1, 3


def main(sbom: Path = Path("sbom.cdx.json"), lock: Path = _LOCK) -> int:
    """Write the bill of materials, ask the service, print the result; returns the exit code."""
    subprocess.run(
        [
            sys.executable, "-m", "cyclonedx_py", "requirements", str(lock),
            "--output-reproducible", "--no-validate", "--of", "JSON", "-o", str(sbom),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    parts = len(json.loads(sbom.read_text())["components"])
    print(f"{sbom} lists {parts} packages.")
    asked = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", str(lock),
            "--disable-pip", "--progress-spinner", "off", "--format", "json",
        ],
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    try:
        found = json.loads(asked.stdout)["dependencies"]
    except ValueError:
        print(
            "NOT CHECKED: the vulnerability service cannot be reached from here. Run `make audit` where it can."
        )
        print(asked.stderr.strip().splitlines()[-1][:300] if asked.stderr.strip() else "")
        return NOT_KNOWN
    vulnerable = [each for each in found if each.get("vulns")]
    for each in vulnerable:
        for flaw in each["vulns"]:
            fixed = ", ".join(flaw.get("fix_versions", [])) or "no version yet"
            print(f"{each['name']} {each['version']}: {flaw['id']}, fixed in {fixed}")
    if vulnerable:
        print("Raise those versions with `make lock`.")
        return SOME_KNOWN
    if skipped := [each["name"] for each in found if "skip_reason" in each]:
        print(
            f"NOT CHECKED: the service did not answer about {len(skipped)} of {len(found)} packages: {skipped[0]}, …"
        )
        return NOT_KNOWN
    if len(found) < parts:
        print(f"NOT CHECKED: the service was asked about {len(found)} of {parts} packages.")
        return NOT_KNOWN
    print(f"No vulnerability of these {len(found)} packages is known.")
    return NONE_KNOWN


if __name__ == "__main__":
    sys.exit(main())
