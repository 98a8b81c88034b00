#!/usr/bin/env bash
# The distroless profile has Python and certificates, and no shell.
. "$(dirname "$0")/lib.sh"
use_podman
cat >distroless.toml <<'SPEC'
format = 1
[image]
name = "distroless"
[system]
profile = "distroless"
[python]
version = "3.11"
packages = ["rich"]
SPEC
"$IMGBUILD" build distroless.toml -q
image_id=$(podman pull -q oci:distroless.oci)
equal "rich" "$(podman run --rm "$image_id" python -c 'import rich, ssl; print(len(ssl.create_default_context().get_ca_certs()) > 100)')" True
status=0
podman run --rm "$image_id" sh -c true 2>/dev/null || status=$?
[ "$status" != 0 ] || fail "there is a shell"
# No command: Python, which reads what it is given.
for options in "${every_user[@]}"; do
  equal "the default command ($options)" \
    "$(podman run --rm -i $options "$image_id" <<<'import sys; print(sys.version_info[:2], sys.prefix)')" \
    "(3, 11) /opt/venv"
done
