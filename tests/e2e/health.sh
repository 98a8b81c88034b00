#!/usr/bin/env bash
# Engines ask the supervisor how services are: by the check that is in the image, where the format has
# room for one, and by the one that `up` gives podman.
. "$(dirname "$0")/lib.sh"
need curl
example v5-notebook
cp "$TOP"/specs/examples/*.toml "$E2E_ROOT"/images/v5-notebook.lock .
check='[CMD /usr/lib/imgbuild/init health --ready]'

healthy() {  # container: it is not at first, and is in the end
  for _ in $(seq 150); do
    if podman healthcheck run "$1" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "$1 is never healthy: $(podman logs "$1" 2>&1 | tail -5)"
}

"$IMGBUILD" build v5-notebook.toml -q --no-local --locked -o docker-archive:docker.tar
loaded=$(podman load -q -i docker.tar | sed 's/^Loaded image: *//')
equal "the check of the archive" "$(podman image inspect -f '{{.HealthCheck.Test}}' "$loaded" 2>/dev/null ||
  podman image inspect -f '{{.Healthcheck.Test}}' "$loaded")" "$check"
start --health-interval=disable "$loaded"  # nobody runs podman's timers here
healthy "$container"
podman exec "$container" imgbuild-init stop web >/dev/null
! podman healthcheck run "$container" >/dev/null 2>&1 || fail "well without its web service"
podman rm -f -t 0 "$container" >/dev/null

containers+=(imgbuild-v5-notebook)
"$IMGBUILD" up -d v5-notebook.toml --no-local --locked >up.log 2>&1 || fail "up: $(cat up.log)"
equal "the check of up" "$(podman inspect -f '{{.Config.Healthcheck.Test}}' imgbuild-v5-notebook)" "$check"
healthy imgbuild-v5-notebook
"$IMGBUILD" down v5-notebook >/dev/null 2>&1
