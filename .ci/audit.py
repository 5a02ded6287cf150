"""Check installed packages with pip-audit.

Exit codes: 0 no known vulnerability; 1 some; 2 no advisory service can be reached.
"""

import json
import subprocess
import sys


def main() -> None:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--skip-editable",
        "--progress-spinner",
        "off",
        "-f",
        "json",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    asked = [package for package in packages if "vulns" in package]
    skipped = [package["name"] for package in packages if "vulns" not in package]
    if not asked:
        failed = [line for line in ran.stderr.strip().splitlines() if "Error" in line]
        reason = failed[-1][:200] if failed else "it knows none of the packages"
        print(f"audit: PyPI's advisory service cannot be reached from here ({reason})", file=sys.stderr)
        sys.exit(2)
    holes = [(p["name"], p["version"], hole) for p in asked for hole in p["vulns"]]
    for name, version, hole in holes:
        print(
            f"{name} {version}: {hole['id']}, fixed in {', '.join(hole['fix_versions']) or 'no version yet'}"
        )
    print(
        f"audited {len(asked)} packages, {len(holes)} known vulnerabilities; "
        f"not audited: {', '.join(skipped) or 'none'}"
    )
    sys.exit(1 if holes else 0)


if __name__ == "__main__":
    main()
