#!/usr/bin/env bash
# The other suite: trixie's Python 3.13 with an extension module and pip; dpkg and apt work there.
. "$(dirname "$0")/lib.sh"
use_podman
cat >trixie.toml <<'SPEC'
format = 1
[image]
name = "trixie"
[system]
suite = "trixie"
packages = ["apt"]
[python]
version = "3.13"
packages = ["numpy", "pip"]
SPEC
"$IMGBUILD" build trixie.toml -q
image_id=$(podman pull -q oci:trixie.oci)
run() { podman run --rm --network none $options "$image_id" "$@"; }

for options in "${every_user[@]}"; do
  equal "Python and numpy ($options)" "$(run python3 -c '
import numpy, sys
print(*sys.version_info[:2], sys.prefix, numpy.linalg.det(numpy.eye(3)))')" "3 13 /opt/venv 1.0"
done
options=
compiled=$(run python3 -c 'import importlib.util, numpy; print(importlib.util.cache_from_source(numpy.__file__))')
run test -f "$compiled" || fail "numpy is not compiled: there is no $compiled"
equal "pip check" "$(run pip check --disable-pip-version-check)" "No broken requirements found."
options="--user 0"
equal "dpkg" "$(run sh -c '
  dpkg --audit && dpkg --verify && dpkg --configure -a && dpkg -r --force-depends tzdata >/dev/null &&
  dpkg -s tzdata | grep ^Status')" "Status: deinstall ok config-files"
equal "apt" "$(run sh -c 'apt-get -qq check && getent passwd _apt' | cut -d: -f1,3)" "_apt:42"
