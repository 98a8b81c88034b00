#!/usr/bin/env bash
# Images without an engine: as root, and as a plain user with and without subordinate ids.
. "$(dirname "$0")/lib.sh"
need curl pgrep python3
theirs="$E2E_ROOT/plain-user"
# The plain user is the point: without one there is nothing to see here.
if [ "$(id -u)" = 0 ]; then
  need useradd runuser
  id imgbuild-e2e >/dev/null 2>&1 || useradd imgbuild-e2e || skip "no user can be made here"
  mkdir -p "$theirs" && chown imgbuild-e2e: "$theirs"
  runuser -u imgbuild-e2e -- test -x "$IMGBUILD" || skip "a plain user cannot get at $IMGBUILD"
  runuser -u imgbuild-e2e -- test -w "$theirs" || skip "a plain user cannot get at $theirs"
fi
want_podman=no example v1-python
want_podman=no example v5-notebook

# Everything below runs in $place, as $user.
user=root
as() { if [ "$user" = root ]; then "$@"; else runuser -u "$user" -- "$@"; fi; }
wrap=()
inside() {  # a program and its arguments
  (cd "$place/work" && as "${wrap[@]}" env HOME="$place/home" XDG_CACHE_HOME="$cache" XDG_DATA_HOME="$place/data" \
    JUPYTER_TOKEN=given "$@")
}
program() { inside "$IMGBUILD" "$@"; }
run() {  # spec, options and command
  local spec=$1
  shift
  program run --rootless --spec "$spec.toml" --no-local --locked "$@"
}
# The addresses that anything listens on at that port, as the kernel writes them.
listeners() { awk -v port="$(printf ':%04X' "$1")" '$4 == "0A" && index($2, port) {print $2}' /proc/net/tcp /proc/net/tcp6; }
runs() { find "$cache/imgbuild/index/rootless/runs" -mindepth 1 -maxdepth 1 | wc -l; }
left() {  # what, pattern
  for _ in $(seq 50); do
    if ! pgrep -f -- "$2" >/dev/null && [ "$(runs)" = 0 ]; then break; fi
    sleep 0.1
  done
  [ -z "$(pgrep -f -- "$2" || true)" ] || fail "$1: a process is left: $(pgrep -af -- "$2")"
  equal "$1: folders of runs" "$(runs)" 0
  ! grep -q index/rootless /proc/self/mountinfo || fail "$1: a mount is left"
}

take_place() {  # a folder for the cache
  place=$(mktemp -d "$WORK/place-XXXXXX")
  cache=$1
  mkdir -p "$place"/{work,home,data} "$cache"
  cp "$TOP"/specs/examples/*.toml "$E2E_ROOT"/images/v{1-python,5-notebook}.lock "$place/work"
  chmod 755 "$WORK"
  chown -R "$user:" "$place" 2>/dev/null || true
}

check_command() {
  local status
  cat >"$place/work/look.py" <<'PYTHON'
import os, pathlib, sys
home = pathlib.Path(os.environ["HOME"], "count")
count = int(home.read_text()) if home.exists() else 0
home.write_text(str(count + 1))
gone = pathlib.Path("/var/tmp/gone")
print(f"ids {os.getuid()}:{os.getgid()} in {os.getcwd()}, run {count}, gone {gone.exists()}")
gone.write_text("")
pathlib.Path("made").write_text("")
os.close(os.openpty()[0])
fresh = len([name for name in os.listdir("/proc") if name.isdigit()]) < 5
print("a fresh /proc" if fresh else "the host's /proc", "tmp", os.listdir("/tmp"))
rights = [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapPrm", "NoNew"))]
print("rights", *rights, "descriptors", sorted(os.listdir("/proc/self/fd"))[:-1])
sys.exit(7)
PYTHON
  for count in 0 1; do
    status=0
    out=$(run v1-python -- python3 look.py 2>"$place/log" </dev/null) || status=$?
    [ "$status" = 7 ] || fail "status of a command: $status; $(cat "$place/log")"
    contains "run $count" "$out" "ids $1 in /work, run $count, gone False"
  done
  seen=$out
  echo "$user: $(printf '%s' "$out" | sed -n 2p); $(grep -o 'no overlayfs.*' "$place/log" || echo overlayfs)"
  contains "an empty /tmp" "$out" "tmp []"
  contains "rights" "$out" "rights $2 1 descriptors ['0', '1', '2'"
  equal "the owner of what is written in the folder" "$(stat -c %U "$place/work/made")" "$user"
  left "after a command" "$place/no-such"
  status=0; run v1-python -- sh -c 'kill -9 $$' 2>/dev/null || status=$?
  equal "status of one that a signal ended" "$status" 137
  status=0; out=$(run v1-python -- no-such-command 2>&1) || status=$?
  [ "$status" != 0 ] || fail "a command that is not there: $out"
}

# Starts `sleep` in the background: the shell that waits for it, and the program.
start_sleep() {
  run v1-python -- sleep 4321 </dev/null 2>/dev/null &
  shell=$!
  for _ in $(seq 100); do pgrep -f '^sleep 4321$' >/dev/null && break; sleep 0.1; done
  pgrep -f '^sleep 4321$' >/dev/null || fail "sleep did not start"
  program=$(pgrep -f "^$IMGBUILD run --rootless.*sleep 4321" -o)
}

check_killed() {
  local shell program status
  start_sleep
  kill -9 "$(pgrep -f "^$IMGBUILD run --rootless.*sleep 4321" -P "$program")"
  status=0; wait "$shell" || status=$?
  equal "status after the keeper was killed" "$status" 137
  run v1-python -- true </dev/null
  left "in the run after that" '^sleep 4321$'
  start_sleep
  kill -9 "$program"
  wait "$shell" 2>/dev/null || true
  left "after the program was killed" '^sleep 4321$'
}

check_services() {
  local jupyter web shell program status out
  jupyter=$(free_port) web=$(free_port)
  local ports=(--set "services.jupyter.port=$jupyter" --set "services.web.port=$web")
  run v5-notebook "${ports[@]}" </dev/null >"$place/log" 2>&1 &
  shell=$!
  container=none
  answers "http://127.0.0.1:$jupyter/api" 240 >/dev/null
  answers "http://127.0.0.1:$web/" 20 >/dev/null
  equal "the given token" "$(curl -s -o /dev/null -w '%{http_code}' --noproxy '*' \
    "http://127.0.0.1:$jupyter/api/kernels?token=given")" 200
  for port in "$jupyter" "$web"; do
    equal "who listens at $port" "$(listeners "$port")" "0100007F:$(printf %04X "$port")"
  done
  status=0; out=$(run v5-notebook "${ports[@]}" 2>&1) || status=$?
  equal "status of a second one" "$status" 1
  contains "a second one" "$out" "ports of the services are taken"
  program=$(pgrep -f "^$IMGBUILD run --rootless.*port=$jupyter" -o)
  local begin=$SECONDS
  kill -TERM "$program"
  status=0; wait "$shell" || status=$?
  equal "status after TERM" "$status" 0
  [ $((SECONDS - begin)) -le 5 ] || fail "it took $((SECONDS - begin)) s to end"
  left "after TERM" "port=?.?$jupyter"
}

# `up` in place of `run`, which tells of packages that go with it, a shell beside the services, and a
# terminal that is given back.
check_up() {
  local web settings status install
  web=$(free_port)
  (cd "$place/work" && make_extra_wheel)
  install='pip -q install --no-index --disable-pip-version-check /work/extra-1.0-py3-none-any.whl && touch /work/installed'
  settings=(--set "services.jupyter.port=$(free_port)" --set "services.web.port=$web"
    --set "services.extra={command=['sh', '-c', '$install'], type='oneshot'}")
  IMGBUILD_BIND=0.0.0.0 program up --rootless v5-notebook.toml --no-local --locked "${settings[@]}" </dev/null >"$place/log" 2>&1 &
  shell=$!
  container=none
  answers "http://127.0.0.1:$web/" 240 >/dev/null
  equal "who listens where everybody may" "$(listeners "$web")" "00000000:$(printf %04X "$web")"
  contains "up" "$(cat "$place/log")" "jupyter, web can be reached from outside"
  for _ in $(seq 150); do [ -e "$place/work/installed" ] && break; sleep 0.2; done
  [ -e "$place/work/installed" ] || fail "nothing was installed: $(cat "$place/log")"
  kill -TERM "$(pgrep -f "^$IMGBUILD up --rootless.*port=$web" -o)"
  status=0; wait "$shell" || status=$?
  equal "status of up after TERM" "$status" 0
  contains "the end of up" "$(cat "$place/log")" "gone with it: extra==1.0"
  contains "the end of up" "$(cat "$place/log")" "imgbuild add extra --spec v5-notebook.toml"
  printf 'imgbuild-init status; curl -V >/dev/null 2>&1; exit 4\n' >"$place/typed"
  status=0
  inside script -qefc "'$IMGBUILD' up --rootless --shell v5-notebook.toml --no-local --locked ${settings[*]@Q}" /dev/null \
    <"$place/typed" >"$place/log" 2>&1 || status=$?
  equal "status of up --shell" "$status" 4
  contains "up --shell" "$(cat "$place/log")" "jupyter"
  left "after up" "port=?.?$web"
  # A script goes on reading from its terminal after a command that took it.
  inside python3 - "$IMGBUILD" >"$place/log" 2>&1 <<'PYTHON' || fail "the terminal: $(cat "$place/log")"
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    script = '"$0" run --rootless --spec v1-python.toml --no-local --locked -q -- true; read line; echo "read $line"'
    os.execlp("sh", "sh", "-c", script, sys.argv[1])
os.write(terminal, b"typed\n")
said = b""
while b"read typed" not in said:
    assert select.select([terminal], [], [], 60)[0], said
    said += os.read(terminal, 4096)
os.waitpid(pid, 0)
PYTHON
}

# What was unpacked goes when it did not run for long, unless something runs in it.
check_collected() {
  local shell program out
  local trees="$cache/imgbuild/index/rootless/trees"
  start_sleep
  as touch -d '12 years ago' "$trees"/*.use
  out=$(program cache gc --max-age 3650d 2>&1)
  contains "gc beside a run" "$out" "rootless"
  equal "unpacked images beside a run" "$(find "$trees" -mindepth 1 -maxdepth 1 -type d | wc -l)" 1
  kill -9 "$program"
  wait "$shell" 2>/dev/null || true
  left "after the run" '^sleep 4321$'
  program cache gc --max-age 3650d >/dev/null
  equal "what is unpacked without a run" "$(find "$trees" -mindepth 1 -maxdepth 1)" ""
}

if [ "$(id -u)" != 0 ]; then
  user=$(id -un)
  take_place "$XDG_CACHE_HOME"
  check_command 1000:0 0000000000000000
  check_killed
  check_services
  check_up
  check_collected
  exit
fi

# Every port makes another image, and so another tree of its files.
forget() {
  local status=$?
  set +e
  rm -rf {"$XDG_CACHE_HOME","$theirs"}/imgbuild/index/rootless
  if id imgbuild-e2e >/dev/null 2>&1; then
    pkill -9 -u imgbuild-e2e
    userdel imgbuild-e2e 2>/dev/null
  fi
  (exit "$status")
  cleanup
}
trap forget EXIT
take_place "$XDG_CACHE_HOME"
check_command 0:0 00000000800405fb
check_killed
check_services
check_collected

# Where the kernel refuses overlayfs and a fresh /proc, as containers often have it.
unseen=
refuse='mount -t tmpfs none /proc/sys && mkdir "$0" && mount -t tmpfs none "$0" && cd "$0" &&
  mkdir lower upper work && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none "$1" &&
  cd "$OLDPWD" && shift && "$@"'
if unshare -m bash -c "$refuse" "$WORK/refused" "$cache/imgbuild/index/rootless" true 2>/dev/null; then
  rmdir "$WORK/refused"
  wrap=(unshare -m bash -c "rmdir \"\$0\" 2>/dev/null; $refuse" "$WORK/refused" "$cache/imgbuild/index/rootless")
  take_place "$XDG_CACHE_HOME"
  check_command 0:0 00000000800405fb
  contains "the fallback" "$(cat "$place/log")" "no overlayfs here"
  contains "the fallback" "$seen" "the host's /proc"
  wrap=()
else
  unseen="the fallbacks, since this machine has neither to refuse"
fi

user=imgbuild-e2e
take_place "$theirs"
chown -R "$user:" "$theirs"
check_command 1000:0 0000000000000000
check_killed
check_services
check_up
check_collected

# One user and nobody else: the same, but that all files of the image are that user's.
sed -i "/^$user:/d" /etc/subuid /etc/subgid
take_place "$theirs"
check_command 1000:0 0000000000000000
check_killed
check_services
check_collected
[ -z "$unseen" ] || skip "not seen: $unseen"
