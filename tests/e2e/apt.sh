#!/usr/bin/env bash
# An image with apt: root installs in it what the sources offer that came along as a file.
. "$(dirname "$0")/lib.sh"
use_podman
cat >apt.toml <<'SPEC'
format = 1
[image]
name = "apt"
[system]
packages = ["apt"]
[python]
version = "3.11"
[[files]]
from = "debian.sources"
to = "/etc/apt/sources.list.d/"
SPEC
cat >debian.sources <<SOURCES
Types: deb
URIs: $("$IMGBUILD" debug sources | sed -n 's/^debian //p')
Suites: bookworm
Components: main
Languages: none
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
"$IMGBUILD" build apt.toml -q
image_id=$(podman pull -q oci:apt.oci)
run() { podman run --rm --network none "$image_id" "$@"; }

contains "version" "$(run apt-get --version)" "apt 2."
contains "settings" "$(run apt-config dump)" 'Dir::State::status "/var/lib/dpkg/status"'
equal "apt's user" "$(run getent passwd _apt | cut -d: -f1,3,4,6)" "_apt:42:65534:/nonexistent"
equal "sources" "$(run sh -c 'cd /etc/apt && ls sources.list sources.list.d 2>/dev/null')" \
  "sources.list.d:
debian.sources"

# Signatures are checked, scripts run, and apt misses nothing.
cat >install.sh <<'INSIDE'
set -e
apt-get -qq check
apt-get -q update
apt-get -qy install --no-install-recommends hello less
hello
dpkg --audit
update-alternatives --query pager | sed -n 's/^Value: //p'
INSIDE
out=$(podman run --rm --user 0 --network host -e DEBIAN_FRONTEND=noninteractive \
  -v "$PWD/install.sh:/install.sh:ro" "$image_id" sh /install.sh 2>&1) || fail "apt-get: $out"
contains "what was installed runs" "$out" "Hello, world!"
contains "its scripts ran" "$out" "/usr/bin/less"
case "$out" in *"W: "* | *"not found"* | *unsandboxed*) fail "apt complains: $out" ;; esac
