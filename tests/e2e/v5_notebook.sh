#!/usr/bin/env bash
# V5: both servers answer within 20 s, a killed one comes back, and stopping is quick and clean.
. "$(dirname "$0")/lib.sh"
need curl
example v5-notebook
jupyter=$(free_port) web=$(free_port)
ports=(-p "127.0.0.1:$jupyter:8888" -p "127.0.0.1:$web:5001")

start "${ports[@]}" "$image_id"
answers "http://127.0.0.1:$jupyter/api" 20 | grep -q version || fail "JupyterLab's API"
page=$(answers "http://127.0.0.1:$web/" 20)
contains "the page names the environment" "$page" "notebook"
contains "the page links to JupyterLab" "$page" "/lab"
sleep 1
logs=$(podman logs "$container" 2>&1)
token=$(printf '%s' "$logs" | grep -o 'lab?token=[0-9a-f]*' | grep -v '^.*token=$' | head -1 | cut -d= -f2)
[ ${#token} -ge 32 ] || fail "no token in the log: $logs"
equal "the right token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels?token=$token")" 200
equal "no token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels")" 403

podman exec "$container" python3 -c '
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) != os.getpid() and b"uvicorn" in open(f"/proc/{pid}/cmdline", "rb").read():
        os.kill(int(pid), signal.SIGKILL)'
sleep 0.3
answers "http://127.0.0.1:$web/" 20 >/dev/null

began=$(date +%s%N)
podman stop "$container" >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -lt 5000 ] || fail "podman stop took $took ms"
equal "exit status" "$(podman inspect -f '{{.State.ExitCode}}' "$container")" 0
