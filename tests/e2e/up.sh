#!/usr/bin/env bash
# From a spec to a running environment and back: up, ps, logs, down, and run for single commands.
. "$(dirname "$0")/lib.sh"
need curl script
use_podman
example v5-notebook  # the lock that all scripts share
cp "$TOP"/specs/examples/*.toml "$E2E_ROOT"/images/v5-notebook.lock .
name=v5-notebook
up() { "$IMGBUILD" up v5-notebook.toml --no-local --locked "$@"; }
running() { "$IMGBUILD" ps --json | grep -c '"environment"' || true; }
end() {
  local status=$?
  set +e
  "$IMGBUILD" down "$name" >/dev/null 2>&1
  (exit "$status")
  cleanup
}
trap end EXIT

# A port that is taken here is published as another one, and the addresses shown are the right ones.
python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 8888)); time.sleep(600)' &
processes+=($!)
sleep 0.5
out=$(up -d 2>&1)
contains "the moved port" "$out" "port 8888 is taken here"
equal "environments that are up" "$(running)" 1
contains "ps" "$("$IMGBUILD" ps)" "$name"
answers "http://127.0.0.1:5001/" 30 >/dev/null
for _ in $(seq 100); do
  url=$("$IMGBUILD" logs "$name" 2>&1 | sed -n 's,.*JupyterLab is at \(http[^ ]*\).*,\1,p' | head -1 || true)
  [ -z "$url" ] || break
  sleep 0.2
done
[ -n "$url" ] || fail "no address of JupyterLab in: $("$IMGBUILD" logs "$name" 2>&1)"
contains "JupyterLab's port" "$out" "at $(printf '%s' "$url" | grep -o '[0-9]*/lab' | cut -d/ -f1)"
equal "JupyterLab at its address" \
  "$(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' "${url%%/lab*}/api/kernels?${url##*\?}")" 200

# Once is enough.
status=0; again=$(up -d 2>&1) || status=$?
equal "status of a second up" "$status" 1
contains "a second up" "$again" "$name is up already"
status=0; "$IMGBUILD" down nothing-of-this-name >other.log 2>&1 || status=$?
equal "status of down for another" "$status" 1

"$IMGBUILD" down "$name" >/dev/null 2>&1
equal "environments after down" "$(running)" 0
status=0; "$IMGBUILD" logs >none.log 2>&1 || status=$?
equal "status of logs of nothing" "$status" 1

# In the foreground, until it is told to end: nothing stays. (A shell keeps SIGINT from what it starts
# in the background.)
"$IMGBUILD" up v5-notebook.toml --no-local --locked >foreground.log 2>&1 &
pid=$!
for _ in $(seq 150); do grep -q 'The web page is at' foreground.log && break; sleep 0.2; done
grep -q 'The web page is at http://127.0.0.1:5001/' foreground.log || fail "up: $(cat foreground.log)"
kill -TERM $pid
status=0; wait $pid || status=$?
equal "environments after TERM" "$(running)" 0
[ "$(podman ps -aq | wc -l)" = 0 ] || fail "a container is left"

# One command: in this folder, with its exit status.
echo 42 >answer
equal "run" "$("$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- cat answer)" 42
status=0; "$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- sh -c 'exit 7' || status=$?
equal "status of run" "$status" 7

# A shell beside the services: what was installed in it is told at its end, with the line that keeps it.
cat >typed <<'SHELL'
folder=/opt/venv/lib/python3.11/site-packages/extra-1.0.dist-info
mkdir $folder && printf 'Name: extra\nVersion: 1.0\n' >$folder/METADATA && touch $folder/REQUESTED
curl -V >/dev/null 2>&1; imgbuild-init status
exit 5
SHELL
for verb in "up --shell" shell; do
  status=0
  script -qefc "'$IMGBUILD' $verb v5-notebook.toml --no-local --locked" shell.log <typed >/dev/null || status=$?
  equal "status of $verb" "$status" 5
  contains "the end of $verb" "$(cat shell.log)" "gone with it: extra==1.0"
  contains "the end of $verb" "$(cat shell.log)" "imgbuild add extra --spec v5-notebook.toml"
done
equal "environments after the shell" "$(running)" 0
