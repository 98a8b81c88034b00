#!/usr/bin/env bash
# V4: FastAPI and FastHTML import, pip is content, what is installed is what the lock says, and the
# image's user can add to it.
. "$(dirname "$0")/lib.sh"
example v4-fasthtml
run() { podman run --rm --network none $options "$image_id" "$@"; }

for options in "${every_user[@]}"; do
  run python -c 'import fastapi, fasthtml; print(fasthtml.FastHTML)' | grep -q FastHTML ||
    fail "imports ($options)"
  equal "pip check ($options)" "$(run pip check --disable-pip-version-check)" "No broken requirements found."
done
options=
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
# A notebook's %pip, with the index of this machine told when the container starts.
index=${PIP_INDEX_URL:-$("$IMGBUILD" debug sources | sed -n 's/^python //p')}
install=(-e "PIP_INDEX_URL=$index" --network host)
for file in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}"; do
  if [ -f "$file" ]; then install+=(-v "$file:/run/ca.crt:ro" -e PIP_CERT=/run/ca.crt); break; fi
done
cat >notebook.py <<'IPYTHON'
get_ipython().run_line_magic("pip", "install --no-cache-dir iniconfig")
import iniconfig, os
print("from", os.path.dirname(os.path.dirname(iniconfig.__file__)), "by", os.getuid())
IPYTHON
for user in 1000 12345; do
  podman run --rm --network none "$image_id" python -c 'import iniconfig' 2>/dev/null && fail "it is there already"
  out=$(podman run --rm -i --user "$user:0" "${install[@]}" -v "$PWD/notebook.py:/tmp/notebook.ipy:ro" "$image_id" \
    ipython --no-banner --colors=NoColor /tmp/notebook.ipy 2>&1) || fail "%pip install as $user: $out"
  contains "%pip install as $user" "$out" "Successfully installed iniconfig"
  contains "the import as $user" "$out" "from /opt/venv/lib/python3.11/site-packages by $user"
done
