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

# Builds specs/examples/$1.toml into $E2E_ROOT/images/$1.oci, from the lock that the first build
# made, so that all scripts see the same versions.
example() {
  local name=$1
  shift
  mkdir -p "$E2E_ROOT/images"
  (
    flock 9
    cd "$E2E_ROOT/images"
    cp "$TOP"/specs/examples/*.toml .  # they build on each other
    "$IMGBUILD" build "$name.toml" -q --no-local -o "oci:$E2E_ROOT/images/$name.oci:test" "$@"
  ) 9>"$E2E_ROOT/images.lock"
  image="oci:$E2E_ROOT/images/$name.oci:test"
  # podman names what it imports from a layout; load it once and run it by id.
  if [ "${want_podman:-yes}" = yes ]; then
    use_podman
    image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q "$image")
  fi
}

# Starts a container in the background: its id in $container.
start() {
  container=$(podman run -d "$@")
  containers+=("$container")
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
