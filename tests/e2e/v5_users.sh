#!/usr/bin/env bash
# V5 runs as any uid with gid 0, on a read-only root, and without capabilities: it answers in time,
# brings back what was killed, and stops quickly and cleanly.
. "$(dirname "$0")/lib.sh"
need curl
example v5-notebook

check() {  # options of podman run
  local jupyter web
  jupyter=$(free_port) web=$(free_port)
  start -p "127.0.0.1:$jupyter:8888" -p "127.0.0.1:$web:5001" -e JUPYTER_TOKEN=given "$@" "$image_id"
  answers "http://127.0.0.1:$jupyter/api" 20 >/dev/null
  answers "http://127.0.0.1:$web/" $((started + 20 - SECONDS)) >/dev/null
  equal "the given token ($*)" \
    "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels?token=given")" 200
  case "$(podman logs "$container" 2>&1)" in *given*) fail "the given token was printed" ;; esac
  comes_back web
  answers "http://127.0.0.1:$web/" 20 >/dev/null
  stops_well 3
}

check --user 12345:0
check --read-only --read-only-tmpfs=false --tmpfs /tmp
check --cap-drop=all
check --user 12345:0 --read-only --read-only-tmpfs=false --tmpfs /tmp --cap-drop=all
equal "names of a foreign uid" \
  "$(podman run --rm --user 12345:0 "$image_id" python3 -c 'import os; print(os.environ["HOME"], bool(os.environ["USER"]), bool(os.environ["LOGNAME"]))')" \
  "/home/user True True"

# A token from a secret as people make them, with a newline at its end, that another user reads.
secret="imgbuild-test-$$"
echo sesame | podman secret create "$secret" - >/dev/null
jupyter=$(free_port)
start -p "127.0.0.1:$jupyter:8888" --secret "$secret,uid=1000,mode=0400" \
  -e "JUPYTER_TOKEN_FILE=/run/secrets/$secret" "$image_id"
podman secret rm "$secret" >/dev/null  # the container has a copy
answers "http://127.0.0.1:$jupyter/api" 20 >/dev/null
kernels() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels?token=$1"; }
equal "the secret as a token" "$(kernels sesame)" 200
equal "another token" "$(kernels open)" 403
case "$(podman logs "$container" 2>&1)" in *sesame*) fail "the secret was printed" ;; esac
