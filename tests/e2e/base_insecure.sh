#!/usr/bin/env bash
# --insecure holds for the registry of the image that a spec builds on, in the commands that read it,
# and without it plain HTTP is not taken.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/base_lib.sh"
need docker-registry
port=$(free_port)
registry store "$port"
base_of base
"$IMGBUILD" push -q oci:base.oci "127.0.0.1:$port/base/python:3.12" --insecure
wheels 1.0 1000 extra
write_spec app "127.0.0.1:$port/base/python:3.12" extra-1.0-py3-none-any.whl
mkdir bin
cat >bin/podman <<'PODMAN'
#!/bin/sh
case "$1" in
  pull) echo 0123456789ab ;;
  run) echo "an engine runs it" ;;
esac
PODMAN
chmod +x bin/podman
export IMGBUILD_ENGINE="$WORK/bin/podman"

# Each where nothing of the base was read before.
forget() { rm -rf "$XDG_CACHE_HOME" app.oci; }
insecure() {  # command...
  forget
  "$IMGBUILD" "$1" --insecure "${@:2}" >out 2>&1 </dev/null || fail "$1 --insecure ${*:2}: $(cat out)"
}
refused 1 "127.0.0.1:$port" -- "$IMGBUILD" lock app.toml
insecure lock app.toml
contains "the lock" "$(cat app.lock)" "${digest#sha256:}"
rm app.lock
forget
refused 1 "127.0.0.1:$port" -- "$IMGBUILD" plan app.toml
insecure plan app.toml
insecure lock app.toml
insecure remove extra-1.0-py3-none-any.whl --spec app.toml
insecure add extra-1.0-py3-none-any.whl --spec app.toml
for lock in made there; do
  [ "$lock" = there ] || rm app.lock
  insecure build app.toml --no-local -o oci:app.oci:x
  check app.oci
  built=$(layout_digest app.oci)
  [ "$lock" = there ] || rm app.lock
  insecure build app.toml --no-local --check --push "127.0.0.1:$port/team/app:$lock"
  equal "what was pushed" "$(digest_at "127.0.0.1:$port/team/app:$lock")" "$built"
done
forget
refused 1 "127.0.0.1:$port" -- "$IMGBUILD" build app.toml --no-local --locked -o oci:app.oci:x
insecure run --spec app.toml -- python3
contains "run" "$(cat out)" "an engine runs it"
insecure shell app.toml
contains "shell" "$(cat out)" "an engine runs it"
