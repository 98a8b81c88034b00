#!/usr/bin/env bash
# run, up, ps, logs, shell and down as a plain user, with podman as that user has it.
# In mounts of its own, for the device below.
if [ -z "${OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then OWN_MOUNTS=1 exec unshare -m "$0"; fi
. "$(dirname "$0")/lib.sh"
need curl script podman runc newuidmap useradd runuser
[ "$(id -u)" = 0 ] || skip "making a user needs root"
want_podman=no example v5-notebook  # the lock that all scripts share
user=imgbuild-up  # no other script's: they run at the same time
end() {
  local status=$?
  set +e
  as "$IMGBUILD" down >/dev/null 2>&1
  pkill -KILL -u "$user"
  userdel -f "$user" 2>/dev/null
  (exit "$status")
  cleanup
}
trap end EXIT
id "$user" >/dev/null 2>&1 || useradd "$user"
grep -q "^$user:" /etc/subuid || skip "useradd gives no subordinate ids here"

# Capital letters, which no name of an image may have.
home="$WORK/Home of $user" && mkdir -p "$home"/{run,work,Data}
cp "$TOP"/specs/examples/*.toml "$E2E_ROOT/images/v5-notebook.lock" "$home/work"
cat >"$home/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
cat >"$home/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$home/Data/storage"
runroot = "$home/run/containers"
CONF
cache="$E2E_ROOT/up-user-cache" && mkdir -p "$cache"
chmod 755 "$WORK" && chown -R "$user:" "$home" "$cache" && chmod 700 "$home/run"
# Debian lets every user make a network of their own, which some machines' devices do not.
if [ -n "${OWN_MOUNTS:-}" ] && [ -c /dev/net/tun ]; then
  mknod -m 666 "$WORK/tun" c 10 200 && mount --bind "$WORK/tun" /dev/net/tun || true
fi
# Where that helps nothing, podman shares the host's network, and publishes nothing: all else is seen,
# and the script counts as skipped.
publishes=yes
if ! runuser -u "$user" -- sh -c ': <>/dev/net/tun' 2>/dev/null; then
  publishes=no
  sed -i 's/^\[containers\]/[containers]\nnetns = "host"/' "$home/containers.conf"
fi

as() {
  (cd "$home/work" && runuser -u "$user" -- env -u XDG_CONFIG_HOME HOME="$home" \
    XDG_RUNTIME_DIR="$home/run" XDG_CACHE_HOME="$cache" CONTAINERS_CONF="$home/containers.conf" \
    CONTAINERS_STORAGE_CONF="$home/storage.conf" "$@")
}
spec=(--no-local --locked)

status=0
as "$IMGBUILD" run --spec v5-notebook.toml "${spec[@]}" -q -- \
  sh -c 'id -u; echo made >made; exit 7' >ids || status=$?
equal "status of run" "$status" 7
equal "who it runs as" "$(cat ids)" 1000
equal "whose file it made" "$(stat -c %U "$home/work/made")" "$user"

as "$IMGBUILD" up -d v5-notebook.toml "${spec[@]}" >up.log 2>&1 || fail "up: $(cat up.log)"
answers "http://127.0.0.1:5001/" 120 >/dev/null
answers "http://127.0.0.1:8888/api" 120 >/dev/null
contains "ps" "$(as "$IMGBUILD" ps)" v5-notebook
for _ in $(seq 300); do
  logs=$(as "$IMGBUILD" logs 2>&1)
  case "$logs" in *"The web page is at"*) break ;; esac
  sleep 0.2
done
contains "logs" "$logs" "The web page is at"
as podman exec imgbuild-v5-notebook sh -c 'echo kept >"$HOME/kept"'
as "$IMGBUILD" down >/dev/null 2>&1
equal "environments after down" "$(as "$IMGBUILD" ps)" ""

# In the foreground, at another port where the own one is taken.
if [ $publishes = yes ]; then
  python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 5001)); time.sleep(600)' &
  processes+=($!)
fi
as "$IMGBUILD" up v5-notebook.toml "${spec[@]}" >foreground.log 2>&1 &
shell=$!
processes+=($shell)
for _ in $(seq 300); do grep -q 'The web page is at' foreground.log && break; sleep 0.2; done
url=$(grep -o 'The web page is at http://127.0.0.1:[0-9]*' foreground.log | grep -o 'http.*' || true)
[ -n "$url" ] || fail "up: $(cat foreground.log)"
if [ $publishes = yes ]; then [ "$url" != http://127.0.0.1:5001 ] || fail "the port that is taken"; fi
answers "$url/" 30 >/dev/null
contains "ps" "$(as "$IMGBUILD" ps)" v5-notebook
equal "what the home has kept" "$(as podman exec imgbuild-v5-notebook sh -c 'cat "$HOME/kept"')" kept
pkill -TERM -u "$user" -f "^$IMGBUILD up v5-notebook.toml"
status=0; wait $shell || status=$?
equal "status after TERM" "$status" 0
equal "environments after TERM" "$(as "$IMGBUILD" ps)" ""

status=0
printf 'touch shelled\nexit 3\n' >typed
as script -qefc "'$IMGBUILD' shell v5-notebook.toml --no-local --locked" /dev/null <typed >/dev/null ||
  status=$?
equal "status of shell" "$status" 3
equal "whose file the shell made" "$(stat -c %U "$home/work/shelled")" "$user"

[ $publishes = yes ] ||
  skip "not seen: ports that a plain user publishes, since /dev/net/tun is not for everybody here"
