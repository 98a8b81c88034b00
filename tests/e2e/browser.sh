#!/usr/bin/env bash
# V5 as its users see it: JupyterLab and the built-in page in a real browser.
. "$(dirname "$0")/lib.sh"
need curl chromium python3
# Both packages are pinned: a new browser driver is no reason for a new result.
venv="$E2E_ROOT/browser-venv"
if [ ! -x "$venv/ready" ]; then
  python3 -m venv "$venv" || skip "python3-venv is not installed"
  "$venv/bin/pip" install -q playwright==1.65.2 axe-playwright-python==0.1.8 ||
    skip "playwright cannot be had from the index"
  printf '#!/bin/sh\n' >"$venv/ready" && chmod +x "$venv/ready"
fi
example v5-notebook
jupyter=$(free_port) web=$(free_port)
start -p "127.0.0.1:$jupyter:8888" -p "127.0.0.1:$web:5001" -e "IMGBUILD_PORT_8888=$jupyter" "$image_id"
answers "http://127.0.0.1:$jupyter/api" 60 >/dev/null
answers "http://127.0.0.1:$web/" 60 >/dev/null
sleep 1
token=$(podman logs "$container" 2>&1 | grep -o 'lab?token=[0-9a-f]\{32,\}' | head -1 | cut -d= -f2)
[ -n "$token" ] || fail "no token in the log"
mkdir -p "$E2E_ROOT/screenshots"
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$TOP/tests/e2e/browser_test.py" \
  --jupyter "http://127.0.0.1:$jupyter" --page "http://127.0.0.1:$web" --token "$token" \
  --container "$container" --screenshots "$E2E_ROOT/screenshots"
