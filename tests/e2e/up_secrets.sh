#!/usr/bin/env bash
# What reaches a container of this machine's settings: secrets of services, proxies and the index, by
# variables and in no command line.
. "$(dirname "$0")/lib.sh"
need curl
want_podman=no example v1-python
use_podman
cp "$TOP"/specs/examples/v1-python.toml .
cp "$E2E_ROOT"/images/v1-python.lock secrets.lock
cat >secrets.toml <<'SPEC'
extends = "v1-python.toml"
[image]
name = "secrets"
[services.show]
command = ["python3", "-c", "import os, time; print('key', os.environ['API_KEY'], flush=True); time.sleep(600)"]
secrets = { API_KEY = "api-key" }
ready = { exec = ["test", "-n", "x"] }
restart = "never"
SPEC
end() {
  local status=$?
  set +e
  "$IMGBUILD" down secrets >/dev/null 2>&1
  (exit "$status")
  cleanup
}
trap end EXIT
up() { "$IMGBUILD" up -d secrets.toml --no-local -v; }
says() {  # part
  for _ in $(seq 100); do
    case "$(podman logs imgbuild-secrets 2>&1)" in *"$1"*) return ;; esac
    sleep 0.1
  done
  fail "no '$1' in: $(podman logs imgbuild-secrets 2>&1)"
}

up >up.log 2>&1 || fail "up: $(cat up.log)"
contains "up without the secret" "$(cat up.log)" "API_KEY is not set here"
"$IMGBUILD" down secrets >/dev/null 2>&1 || true

API_KEY=from-here up >up.log 2>&1 || fail "up: $(cat up.log)"
! grep -q 'API_KEY is not set' up.log || fail "a warning for nothing"
says "key from-here"
! grep -q from-here up.log || fail "the secret stands in: $(grep from-here up.log)"
"$IMGBUILD" down secrets >/dev/null 2>&1

# podman's own secrets do as well, by what `generate` writes.
"$IMGBUILD" generate compose secrets.toml --no-local --engine podman | grep -q 'API_KEY: "${API_KEY:?' ||
  fail "compose does not ask for the secret"

# An index of pip's or imgbuild's own settings reaches pip in the container; with its password, but by
# no command line. A proxy does as it is.
export PIP_CONFIG_FILE="$WORK/pip.conf"
printf '[global]\nindex-url = http://me:pass-word@127.0.0.1:9/simple\n' >pip.conf
run() { "$IMGBUILD" run --spec secrets.toml --no-local --locked -v "$@"; }
unset PIP_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX
out=$(https_proxy=http://proxy.example:3128 run -- sh -c 'echo "$PIP_INDEX_URL $UV_INDEX_URL $https_proxy"' 2>run.log)
equal "what reaches the container" "$out" \
  "http://me:pass-word@127.0.0.1:9/simple http://me:pass-word@127.0.0.1:9/simple http://proxy.example:3128"
contains "the command line" "$(cat run.log)" "-e PIP_INDEX_URL"
! grep -q pass-word run.log || fail "the password stands in: $(grep pass-word run.log)"
mkdir -p "$XDG_CONFIG_HOME/imgbuild"
printf '[python]\nindex = "http://127.0.0.1:9/ours"\n' >"$XDG_CONFIG_HOME/imgbuild/config.toml"
equal "imgbuild's own setting" "$(run -- printenv PIP_INDEX_URL 2>/dev/null)" "http://127.0.0.1:9/ours"
equal "the environment" "$(PIP_INDEX_URL=http://127.0.0.1:9/here run -- printenv PIP_INDEX_URL 2>/dev/null)" \
  "http://127.0.0.1:9/here"
