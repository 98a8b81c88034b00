# What the end-to-end scripts share. Each script is one behaviour, sources this first and runs in a
# folder of its own; exit status 77 says that it was skipped, and why stands above it.
set -euo pipefail

: "${IMGBUILD:?the program under test}" "${E2E_ROOT:?a folder that all scripts share}"
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/imgbuild-e2e-XXXXXX")
mkdir -p "$E2E_ROOT"
cd "$WORK"

# One cache for all scripts, so that packages are fetched once; never the user's own.
export XDG_CACHE_HOME="$E2E_ROOT/cache"
export XDG_CONFIG_HOME="$WORK/config"
unset IMGBUILD_CACHE_DIR
export PATH="/usr/bin:$PATH"  # the Python that has the packages which `./dev setup` installs

containers=()
processes=()  # that are to end with the script
cleanup() {
  local status=$?
  [ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2>/dev/null || true
  for container in "${containers[@]}"; do podman rm -f -t 0 "$container" >/dev/null 2>&1 || true; done
  chmod -R u+w "$WORK" 2>/dev/null || true
  rm -rf "$WORK"
  exit "$status"
}
trap cleanup EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }
skip() { echo "SKIPPED: $*" >&2; exit 77; }
need() { for tool in "$@"; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done; }

equal() {  # what, found, expected
  [ "$2" = "$3" ] || fail "$1: found '$2', expected '$3'"
}

contains() {  # what, text, part
  case "$2" in *"$3"*) ;; *) fail "$1: no '$3' in: $2" ;; esac
}

# podman with a storage and a configuration of these tests' own.
use_podman() {
  need podman runc
  export CONTAINERS_CONF="$E2E_ROOT/containers.conf"
  export CONTAINERS_STORAGE_CONF="$E2E_ROOT/storage.conf"
  if [ ! -f "$CONTAINERS_STORAGE_CONF" ]; then
    mkdir -p "$E2E_ROOT"
    cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
CONF
    cat >"$CONTAINERS_STORAGE_CONF.tmp" <<CONF
[storage]
driver = "overlay"
graphroot = "$E2E_ROOT/storage"
runroot = "$E2E_ROOT/run"
CONF
    mv "$CONTAINERS_STORAGE_CONF.tmp" "$CONTAINERS_STORAGE_CONF"
  fi
}

# FILE gets a minimal Debian bookworm as a tar, made once for all scripts.
debian_root() {  # file, packages beside the minimum
  need mmdebstrap
  local made="$E2E_ROOT/roots/${2:-nothing}.tar" mirror
  mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "bookworm" {print $2; exit}')
  [ -n "$mirror" ] || skip "apt names no mirror of bookworm"
  mkdir -p "$E2E_ROOT/roots"
  (
    flock 9
    [ -f "$made" ] || {
      mmdebstrap --quiet --variant=minbase ${2:+"--include=$2"} bookworm "$made.part.tar" "$mirror"
      mv "$made.part.tar" "$made"
    }
  ) 9>"$E2E_ROOT/roots.lock"
  cp --reflink=auto "$made" "$1"
}

# Builds specs/examples/$1.toml into $E2E_ROOT/images/$1.oci, from the lock that the first build
# made, so that all scripts see the same versions. The rest are options of build; with `as` before
# the call, the image has a tag of that name.
example() {
  local name=$1 tag=${as:-test}
  shift
  mkdir -p "$E2E_ROOT/images"
  (
    flock 9
    cd "$E2E_ROOT/images"
    cp "$TOP"/specs/examples/*.toml .  # they build on each other
    "$IMGBUILD" build "$name.toml" -q --no-local -o "oci:$E2E_ROOT/images/$name.oci:$tag" "$@"
  ) 9>"$E2E_ROOT/images.lock"
  image="oci:$E2E_ROOT/images/$name.oci:$tag"
  # podman names what it imports from a layout; load it once and run it by id.
  if [ "${want_podman:-yes}" = yes ]; then
    use_podman
    image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q "$image")
  fi
}

# The ways in which an image must run alike: options of podman run.
every_user=("" "--user 12345:0" "--read-only --read-only-tmpfs=false --tmpfs /tmp")

# Starts a container in the background: its id in $container, and when in $started (of SECONDS).
start() {
  started=$SECONDS
  container=$(podman run -d "$@")
  containers+=("$container")
}

# What the supervisor of $container says of a service: its state, pid, restarts, exit or ready.
service() {  # name, key
  podman exec "$container" imgbuild-init status --json | python3 -c '
import json, sys
services = json.load(sys.stdin)["services"]
print(next(service for service in services if service["name"] == sys.argv[1])[sys.argv[2]])' "$@"
}

service_becomes() {  # name, key, value, seconds
  local end=$((SECONDS + $4))
  until [ "$(service "$1" "$2")" = "$3" ]; do
    [ "$SECONDS" -lt "$end" ] ||
      fail "$1: $2 is '$(service "$1" "$2")', not '$3', after $4 s: $(podman logs "$container" 2>&1)"
    sleep 0.2
  done
}

# Kills the process of a service, which must be there.
kill_service() {  # name
  local pid
  pid=$(service "$1" pid)
  [ "$pid" -gt 1 ] || fail "$1 has no process: $pid"
  podman exec "$container" python3 -c "import os; os.kill($pid, 9)"
}

# Kills a service whose policy is to come back: another process takes its place.
comes_back() {  # name
  local pid restarts
  pid=$(service "$1" pid)
  restarts=$(service "$1" restarts)
  kill_service "$1"
  service_becomes "$1" restarts $((restarts + 1)) 20
  service_becomes "$1" state ready 30
  [ "$(service "$1" pid)" != "$pid" ] || fail "$1 has the pid of the one that was killed"
}

# Of the host, in the pid namespace that a container's first process was in.
processes_in() {  # namespace
  local look=()
  [ "$(id -u)" = 0 ] || look=(podman unshare)
  "${look[@]}" sh -c 'for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$0" ]; then echo "${process#/proc/}"; fi
  done' "$1"
}

# podman stop: in less than 5 s, with exit status 0, and with no process left.
stops_well() {  # how many processes there must be before, at least
  local namespace look=() began took
  [ "$(id -u)" = 0 ] || look=(podman unshare)
  namespace=$("${look[@]}" readlink "/proc/$(podman inspect -f '{{.State.Pid}}' "$container")/ns/pid")
  [ "$(processes_in "$namespace" | wc -l)" -ge "$1" ] || fail "fewer than $1 processes in $namespace"
  began=$(date +%s%N)
  podman stop "$container" >/dev/null
  took=$((($(date +%s%N) - began) / 1000000))
  [ "$took" -lt 5000 ] || fail "podman stop took $took ms"
  equal "exit status" "$(podman inspect -f '{{.State.ExitCode}}' "$container")" 0
  equal "processes that are left" "$(processes_in "$namespace")" ""
}

# Waits up to $2 seconds until the URL answers with a status below 500; prints the body.
answers() {  # url, seconds
  local end=$((SECONDS + $2)) body
  while [ "$SECONDS" -le "$end" ]; do
    if body=$(curl -sS -m 5 --noproxy '*' "$1" 2>/dev/null) && [ -n "$body" ]; then
      printf '%s' "$body"
      return 0
    fi
    sleep 0.2
  done
  podman logs "$container" >&2 || true
  fail "$1 did not answer within $2 s"
}

# extra-1.0-py3-none-any.whl in the current folder: a package that no image has.
make_extra_wheel() {
  python3 - <<'PYTHON'
import zipfile
with zipfile.ZipFile("extra-1.0-py3-none-any.whl", "w") as wheel:
    info = "extra-1.0.dist-info/"
    wheel.writestr("extra.py", "")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
PYTHON
}

# The hosts of the mirrors and indexes that this machine uses, for find_hosts.py.
transport_hosts() {
  "$IMGBUILD" debug sources | sed -nE 's,^[^ ]+ [a-z]+://([^/@]*@)?([^/:]+).*,--host=\2,p' | sort -u
}

# A port that nothing listens on, below those that the kernel gives to outgoing connections.
free_port() {
  python3 - <<'PYTHON'
import random, socket
while True:
    port = random.randrange(10000, 32000)
    try:
        socket.create_server(("127.0.0.1", port)).close()
        print(port)
        break
    except OSError:
        pass
PYTHON
}
