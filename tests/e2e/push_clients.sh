#!/usr/bin/env bash
# Pushed images as others read them, in the registry that Debian has and in distribution 3; the
# reverse, with layers that podman took along as they came.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry skopeo buildah
for tool in crane oras regctl registry; do go_tool "$tool"; done
export XDG_CACHE_HOME="$E2E_ROOT/cache"  # of packages
example v1-python
v1=$image
old=$(free_port) new=$(free_port)
registry old "$old"
registry new "$new" "" "" "" registry

# crane recomputes every digest and diff id, of gzip layers; it knows no zstd.
valid() { crane validate --insecure --remote "$1" >crane.log 2>&1 || fail "crane validate $1: $(cat crane.log)"; }
build_gzip() {  # example
  cp "$TOP"/specs/examples/*.toml "$E2E_ROOT/images/$1.lock" .
  "$IMGBUILD" build "$1.toml" -q --no-local --locked --compression gzip -o "oci:$2:x"
}
build_gzip v1-python gzip.oci

# What we push, everyone reads: the same digest, and blobs that are what they claim to be.
digest=$(layout_digest "$E2E_ROOT/images/v1-python.oci")
for port in "$old" "$new"; do
  there="127.0.0.1:$port/team/v1:one"
  "$IMGBUILD" push "$v1" "docker://$there" --insecure -q
  equal "crane digest" "$(crane digest --insecure "$there")" "$digest"
  "$IMGBUILD" push "oci:gzip.oci:x" "127.0.0.1:$port/team/gzip:x" --insecure -q
  valid "127.0.0.1:$port/team/gzip:x"
  equal "regctl digest" "$(regctl --host "reg=127.0.0.1:$port,tls=disabled" image digest "$there")" "$digest"
  rm -rf oras.oci && oras copy --from-plain-http "$there" --to-oci-layout oras.oci:one >oras.log 2>&1 || fail "oras: $(cat oras.log)"
  equal "oras copy" "$(layout_digest oras.oci)" "$digest"
  equal "skopeo" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$there")" "$digest"
  id=$(podman pull -q --tls-verify=false "$there")
  contains "podman run" "$(podman run --rm "$id" python3 --version)" "Python 3.11"
done

# What others push, in their formats, arrives here as it is. podman takes layers along as they came,
# and docker's format knows no zstd.
id=$(podman pull -q --tls-verify=false "127.0.0.1:$old/team/gzip:x")
for format in oci v2s2; do
  for compression in gzip zstd; do
    [ "$format:$compression" = v2s2:zstd ] && continue
    there="127.0.0.1:$old/podman/$format-$compression:x"
    podman push -q --tls-verify=false --format "$format" --compression-format "$compression" "$id" "$there"
    rm -rf pulled.oci
    "$IMGBUILD" pull "docker://$there" -o oci:pulled.oci:x --insecure -q
    equal "podman's $format $compression" "$(layout_digest pulled.oci)" "$(crane digest --insecure "$there")"
    [ "$format" = v2s2 ] || python3 "$TOP/tests/e2e/check_layout.py" pulled.oci
  done
done
crane copy --insecure "127.0.0.1:$old/team/v1:one" "127.0.0.1:$new/crane/v1:x" 2>crane.log || fail "crane copy: $(cat crane.log)"
rm -rf pulled.oci && "$IMGBUILD" pull "127.0.0.1:$new/crane/v1:x" -o oci:pulled.oci:x --insecure -q
equal "crane's" "$(layout_digest pulled.oci)" "$digest"
container=$(buildah from --tls-verify=false "127.0.0.1:$old/team/v1:one")
buildah config --label made=by-buildah "$container"
buildah commit -q "$container" "docker://127.0.0.1:$old/buildah/v1:x" --tls-verify=false >/dev/null 2>&1 ||
  buildah commit -q --tls-verify=false "$container" "docker://127.0.0.1:$old/buildah/v1:x" >/dev/null
buildah rm "$container" >/dev/null
contains "buildah's" "$("$IMGBUILD" inspect "docker://127.0.0.1:$old/buildah/v1:x" --insecure --json)" "by-buildah"
