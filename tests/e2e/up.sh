#!/usr/bin/env bash
# From a spec to a running environment and back: up, ps, logs, down, and run for single commands.
. "$(dirname "$0")/lib.sh"
need curl python3 script
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

# What a machine that lost power leaves behind is in nobody's way.
leave() { podman create -q --name "imgbuild-$name" --label "imgbuild.environment=$name" "$image_id" >/dev/null; }
leave
equal "environments that are up, of dead ones" "$(running)" 0
"$IMGBUILD" down "$name" >/dev/null 2>&1 || fail "down leaves a dead container"
equal "containers after down" "$(podman ps -aq)" ""
leave

# A port that is taken here is published as another one, and the addresses shown are the right ones.
python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 8888)); time.sleep(600)' &
processes+=($!)
sleep 0.5
out=$(up -d 2>&1)
contains "what was left" "$out" "removing what was left of $name"
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

kept="kept by $$"
podman exec "imgbuild-$name" sh -c 'echo "$0" >"$HOME/kept"' "$kept"

"$IMGBUILD" down "$name" >/dev/null 2>&1
equal "environments after down" "$(running)" 0
status=0; "$IMGBUILD" logs >none.log 2>&1 || status=$?
equal "status of logs of nothing" "$status" 1

# What was installed meanwhile is told when it goes, by `down` as by an interrupt. The home lasts, and a
# token comes from a file, too.
make_extra_wheel
install="pip -q install --no-index --disable-pip-version-check ./extra-1.0-py3-none-any.whl"
told="gone with it: extra==1.0"
keep="imgbuild add extra --spec v5-notebook.toml"
echo from-a-file >token
JUPYTER_TOKEN_FILE=token up -d >/dev/null 2>&1
equal "what the home has kept" "$(podman exec "imgbuild-$name" sh -c 'cat "$HOME/kept"')" "$kept"
equal "the token of a file" "$(podman exec "imgbuild-$name" printenv JUPYTER_TOKEN)" from-a-file
for _ in $(seq 100); do podman exec "imgbuild-$name" $install 2>/dev/null && break; sleep 0.2; done
down=$("$IMGBUILD" down "$name" 2>&1)
contains "what down says" "$down" "$told"
contains "what down says" "$down" "$keep"

# In the foreground, until Ctrl-C on its terminal, where services have colours: nothing stays.
status=0
python3 - "$IMGBUILD" "$install" >terminal.log <<'PYTHON' || status=$?
import os, pty, subprocess, sys
program, install = sys.argv[1], sys.argv[2].split()
pid, terminal = pty.fork()
if pid == 0:
    os.execl(program, program, "up", "v5-notebook.toml", "--no-local", "--locked")
said = b""
def read():
    global said
    try:
        more = os.read(terminal, 65536)
    except OSError:
        more = b""
    said += more
    sys.stdout.buffer.write(more)
    return more
while b"The web page is at" not in said or b"JupyterLab is at" not in said:
    assert read(), "it ended by itself"
subprocess.run(["podman", "exec", "imgbuild-v5-notebook", *install], check=True)
os.write(terminal, b"\x03")
while read():
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
equal "status after Ctrl-C" "$status" 0
contains "the terminal" "$(cat terminal.log)" $'\033['
contains "the end of up" "$(cat terminal.log)" "$told"
contains "the end of up" "$(cat terminal.log)" "$keep"
equal "containers after Ctrl-C" "$(podman ps -aq)" ""

# And until it is told to end by a signal, whenever that comes. (A shell keeps SIGINT from what it starts
# in the background.)
for seconds in 0.3 0.6 1 1.5 announced; do
  "$IMGBUILD" up v5-notebook.toml --no-local --locked >foreground.log 2>&1 &
  pid=$!
  if [ $seconds = announced ]; then
    for _ in $(seq 150); do grep -q 'The web page is at' foreground.log && break; sleep 0.2; done
    grep -q 'The web page is at http://127.0.0.1:5001/' foreground.log || fail "up: $(cat foreground.log)"
  else
    sleep $seconds
  fi
  kill -TERM $pid
  status=0; wait $pid || status=$?
  equal "containers after TERM at $seconds" "$(podman ps -aq)" ""
done

# One command: in this folder, with its exit status.
echo 42 >answer
equal "run" "$("$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- cat answer)" 42
status=0; "$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- sh -c 'exit 7' || status=$?
equal "status of run" "$status" 7
equal "run in a pipe" "$(echo piped | "$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- cat)" piped

# A shell beside the services: what was installed in it is told at its end, with the line that keeps it.
cat >typed <<SHELL
$install
curl -V >/dev/null 2>&1; imgbuild-init status
exit 5
SHELL
for verb in "up --shell" shell; do
  status=0
  script -qefc "'$IMGBUILD' $verb v5-notebook.toml --no-local --locked" shell.log <typed >/dev/null || status=$?
  equal "status of $verb" "$status" 5
  contains "the end of $verb" "$(cat shell.log)" "$told"
  contains "the end of $verb" "$(cat shell.log)" "$keep"
done
equal "environments after the shell" "$(running)" 0
