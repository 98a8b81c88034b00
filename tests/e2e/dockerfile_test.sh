#!/usr/bin/env bash
# Dockerfile.test builds: the suite passes in a clean Debian. Its base comes from the archive, under
# the name that the file uses, since nothing here pulls from a registry.
. "$(dirname "$0")/lib.sh"
need buildah mmdebstrap
[ "$(id -u)" = 0 ] || skip "buildah's chroot isolation is used as root here"
use_podman
base=$(sed -n 's/^FROM //p' "$TOP/Dockerfile.test")

debian_root base.tar
podman import -q base.tar "localhost/$base" >/dev/null

# The tree as it would be committed, and the compiler's cache if there is one: what is compiled is the
# same, only sooner.
mkdir context
git -C "$TOP" ls-files -z | tar -C "$TOP" --null -T - -c | tar -C context -x
mounts=()
if command -v ccache >/dev/null; then
  compiled=$(env -u XDG_CACHE_HOME ccache -k cache_dir)  # the user's own, not these tests'
  mkdir -p "$compiled"
  mounts+=(-v "$compiled:/root/.cache/ccache")
fi
sed "s|^FROM .*|FROM localhost/$base|" "$TOP/Dockerfile.test" >Dockerfile
buildah build --isolation chroot --network host "${mounts[@]}" -f Dockerfile -t localhost/suite context \
  >log 2>&1 || { tail -60 log; fail "Dockerfile.test"; }
totals=$(grep -E '^[0-9]+ passed, 0 failed' log) || fail "no totals: $(tail -5 log)"
echo "in the container: $totals"
passed=${totals%% *}
[ "$passed" -gt 300 ] || fail "only $passed tests ran"
buildah rmi -f localhost/suite "localhost/$base" >/dev/null
