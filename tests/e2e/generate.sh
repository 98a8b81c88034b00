#!/usr/bin/env bash
# What `imgbuild generate` writes runs, with the image that `imgbuild run` or `up` left in the engine.
. "$(dirname "$0")/lib.sh"
need catatonit curl docker-compose python3
use_podman
example v5-notebook
cp "$TOP"/specs/examples/*.toml "$E2E_ROOT"/images/v5-notebook.lock .
podman untag localhost/v5-notebook:latest 2>/dev/null || true
"$IMGBUILD" run --spec v5-notebook.toml --no-local --locked -q -- true
equal "the image by its name" "$(podman image inspect -f '{{.Id}}' localhost/v5-notebook:latest)" "$image_id"
for format in quadlet compose kubernetes devcontainer; do
  "$IMGBUILD" generate $format v5-notebook.toml --no-local --engine podman -o $format.out
done
port=$(free_port)
tools="$E2E_ROOT/compose-tools"  # podman-compose brings a YAML parser
if [ ! -x "$tools/bin/podman-compose" ]; then
  rm -rf "$tools"
  python3 -m venv "$tools" && "$tools/bin/pip" -q install podman-compose || skip "podman-compose cannot be installed"
fi

healthy() {  # container: its services answer the command that the files have
  "$tools/bin/python" - "$1" <<'PYTHON' || fail "$1 is not healthy"
import subprocess, sys, time, yaml
test = next(iter(yaml.safe_load(open("compose.yaml"))["services"].values()))["healthcheck"]["test"]
for _ in range(120):
    if subprocess.run(["podman", "exec", sys.argv[1], *test[1:]], capture_output=True).returncode == 0:
        sys.exit(0)
    time.sleep(0.25)
sys.exit(1)
PYTHON
}

# Compose: Docker Compose checks it against its schema, and podman-compose runs it.
sed "s/127.0.0.1:5001:/127.0.0.1:$port:/; s/127.0.0.1:8888:/127.0.0.1::/" compose.out >compose.yaml
docker-compose -f compose.yaml config -q
echo 'in the folder' >here.txt
containers+=(imgbuild-v5-notebook)
JUPYTER_TOKEN=hush PATH="$tools/bin:$PATH" podman-compose -f compose.yaml up -d >compose.log 2>&1 ||
  fail "podman-compose: $(cat compose.log)"
container=imgbuild-v5-notebook
healthy imgbuild-v5-notebook
answers "http://127.0.0.1:$port/" 30 >/dev/null
equal "the folder" "$(podman exec imgbuild-v5-notebook cat /work/here.txt)" "in the folder"
equal "the token" "$(podman exec imgbuild-v5-notebook printenv JUPYTER_TOKEN)" hush
PATH="$tools/bin:$PATH" podman-compose -f compose.yaml down >/dev/null 2>&1
equal "containers after down" "$(podman ps -aq)" ""

# Kubernetes: podman plays it. It takes no claim whose volume is there.
forget() { podman volume rm -f imgbuild-v5-notebook-home imgbuild-v5-notebook-work >/dev/null 2>&1 || true; }
forget
podman kube play kubernetes.out >kube.log 2>&1 || fail "kube play: $(cat kube.log)"
container=$(podman ps --format '{{.Names}}' | grep -v -- -infra | head -1)
healthy "$container"
podman kube down kubernetes.out >/dev/null 2>&1
equal "containers after kube down" "$(podman ps -q)" ""
forget

# What has no services has nothing to start.
status=0; "$IMGBUILD" generate compose v1-python.toml >none.log 2>&1 || status=$?
equal "status without services" "$status" 2
contains "what is said without services" "$(cat none.log)" "v1-python has no services"
