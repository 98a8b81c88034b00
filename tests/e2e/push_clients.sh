#!/usr/bin/env bash
# Pushed images as others read them, the reverse, and a push that is killed: the next one goes on.
. "$(dirname "$0")/lib.sh"
need docker-registry skopeo podman buildah go
example v1-python
v1=$image
want_podman=no example v2-scientific

# Others' tools, built once.
export GOBIN="$E2E_ROOT/gobin" CGO_ENABLED=0
export PATH="$GOBIN:$PATH"
tool() {  # name, module
  [ -x "$GOBIN/$1" ] && return
  go install "$2@latest" >go.log 2>&1 || { tail -3 go.log >&2; skip "$1 cannot be built: no module proxy?"; }
}
tool crane github.com/google/go-containerregistry/cmd/crane
tool oras oras.land/oras/cmd/oras
tool regctl github.com/regclient/regclient/cmd/regctl
tool registry github.com/distribution/distribution/v3/cmd/registry

registry_at() {  # port, name, program
  mkdir -p "$2"
  cat >"$2.yml" <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $WORK/$2}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$1"}
CONF
  OTEL_TRACES_EXPORTER=none "$3" serve "$2.yml" >"$2.log" 2>&1 &
  processes+=($!)
  for _ in $(seq 100); do
    curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$1/v2/" && return
    sleep 0.1
  done
  fail "$3 does not start: $(tail -3 "$2.log")"
}
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
old=$(free_port) new=$(free_port)
registry_at "$old" old docker-registry
registry_at "$new" new registry

# crane recomputes every digest and diff id, of gzip layers; it knows no zstd.
valid() { crane validate --insecure --remote "$1" >crane.log 2>&1 || fail "crane validate $1: $(cat crane.log)"; }
build_gzip() {  # example
  cp "$TOP"/specs/examples/*.toml "$E2E_ROOT/images/$1.lock" .
  "$IMGBUILD" build "$1.toml" -q --no-local --locked --compression gzip -o "oci:$2:x"
}
build_gzip v1-python gzip.oci
build_gzip v2-scientific big.oci

# What we push, everyone reads: the same digest, and blobs that are what they claim to be.
digest_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]["digest"])' "$1"; }
digest=$(digest_of "$E2E_ROOT/images/v1-python.oci")
for port in "$old" "$new"; do
  there="127.0.0.1:$port/team/v1:one"
  "$IMGBUILD" push "$v1" "docker://$there" --insecure -q
  equal "crane digest" "$(crane digest --insecure "$there")" "$digest"
  "$IMGBUILD" push "oci:gzip.oci:x" "127.0.0.1:$port/team/gzip:x" --insecure -q
  valid "127.0.0.1:$port/team/gzip:x"
  equal "regctl digest" "$(regctl --host "reg=127.0.0.1:$port,tls=disabled" image digest "$there")" "$digest"
  rm -rf oras.oci && oras copy --from-plain-http "$there" --to-oci-layout oras.oci:one >oras.log 2>&1 || fail "oras: $(cat oras.log)"
  equal "oras copy" "$(digest_of oras.oci)" "$digest"
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
    equal "podman's $format $compression" "$(digest_of pulled.oci)" "$(crane digest --insecure "$there")"
    [ "$format" = v2s2 ] || python3 "$TOP/tests/e2e/check_layout.py" pulled.oci
  done
done
crane copy --insecure "127.0.0.1:$old/team/v1:one" "127.0.0.1:$new/crane/v1:x" 2>crane.log || fail "crane copy: $(cat crane.log)"
rm -rf pulled.oci && "$IMGBUILD" pull "127.0.0.1:$new/crane/v1:x" -o oci:pulled.oci:x --insecure -q
equal "crane's" "$(digest_of pulled.oci)" "$digest"
container=$(buildah from --tls-verify=false "127.0.0.1:$old/team/v1:one")
buildah config --label made=by-buildah "$container"
buildah commit -q "$container" "docker://127.0.0.1:$old/buildah/v1:x" --tls-verify=false >/dev/null 2>&1 ||
  buildah commit -q --tls-verify=false "$container" "docker://127.0.0.1:$old/buildah/v1:x" >/dev/null
buildah rm "$container" >/dev/null
contains "buildah's" "$("$IMGBUILD" inspect "docker://127.0.0.1:$old/buildah/v1:x" --insecure --json)" "by-buildah"

# Killed in the middle, then again: no blob goes out whole twice, and where the registry keeps what
# it got of a cut one (distribution 3) nothing does.
size=$(cat big.oci/blobs/sha256/* | wc -c)
largest=$(stat -c %s big.oci/blobs/sha256/* | sort -n | tail -1)
# What a killed process had handed to the kernel still arrives; only then is it known what was sent.
settled() {  # count file
  local before now=-1
  for _ in $(seq 100); do
    before=$now now=$(cat "$1")
    [ "$before" = "$now" ] && return
    sleep 0.5
  done
  fail "bytes of a killed push still arrive"
}
killed() {  # registry's port, name
  local port counts sent
  port=$(free_port) counts="$WORK/$2.count"
  python3 "$TOP/tests/e2e/counting_proxy.py" "$port" "$1" 10000000 "$counts" &
  processes+=($!)
  sleep 0.5
  XDG_CACHE_HOME="$WORK/$2.cache" "$IMGBUILD" push oci:big.oci:x "127.0.0.1:$port/cut/v2:x" --insecure -q &
  push=$!
  for _ in $(seq 200); do
    [ "$(cat "$counts" 2>/dev/null || echo 0)" -gt $((size / 2)) ] && break
    sleep 0.05
  done
  kill -9 $push
  wait $push 2>/dev/null || true
  settled "$counts"
  [ "$(cat "$counts")" -lt "$size" ] || fail "$2: the push was over before it was killed"
  status=0; crane digest --insecure "127.0.0.1:$1/cut/v2:x" >/dev/null 2>&1 || status=$?
  [ "$status" != 0 ] || fail "$2: a tag after half a push"
  XDG_CACHE_HOME="$WORK/$2.cache" "$IMGBUILD" push oci:big.oci:x "127.0.0.1:$port/cut/v2:x" --insecure -q
  valid "127.0.0.1:$1/cut/v2:x"
  sent=$(cat "$counts")
  echo "$2: an image of $size bytes took $sent bytes in two pushes; its largest blob has $largest"
  again=$((sent - size))
}
killed "$new" new
[ "$again" -lt 3000000 ] || fail "distribution 3: $again bytes went out again"
killed "$old" old
[ "$again" -lt $((6 * largest)) ] || fail "docker-registry: $again bytes went out again"
