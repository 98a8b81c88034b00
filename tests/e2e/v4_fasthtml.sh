#!/usr/bin/env bash
# V4: FastAPI and FastHTML import, pip is content, and what is installed is what the lock says.
. "$(dirname "$0")/lib.sh"
example v4-fasthtml
run() { podman run --rm --network none "$image_id" "$@"; }

run python -c 'import fastapi, fasthtml; print(fasthtml.FastHTML)' | grep -q FastHTML || fail "imports"
equal "pip check" "$(run pip check)" "No broken requirements found."
run pip list --format=json --disable-pip-version-check >installed.json
python3 - "$E2E_ROOT/images/v4-fasthtml.lock" <<'PYTHON'
import json, re, sys, tomllib
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
installed = {normal(p["name"]): p["version"] for p in json.load(open("installed.json"))}
lock = tomllib.load(open(sys.argv[1], "rb"))
locked = {p["name"]: p["version"] for p in lock["platform"][0]["package"]
          if p["kind"] == "wheel" and "only-with" not in p}
assert len(locked) > 100, len(locked)
assert installed == locked, set(installed.items()) ^ set(locked.items())
PYTHON
# The image's user may add packages to the environment.
run python -c 'import sysconfig, os; assert os.access(sysconfig.get_path("purelib"), os.W_OK)'
