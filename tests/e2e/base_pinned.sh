#!/usr/bin/env bash
# A base image that the spec names by its digest: the lock has just that, whatever becomes of its tag
# and whoever wants newer ones; a registry that serves other bytes under the digest is not believed.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/base_lib.sh"
need docker-registry
port=$(free_port)
registry store "$port"
printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$port" >registries.conf
there="127.0.0.1:$port/base/python"
base_of other --file etc/motd=other
other=$digest
base_of base --noise 100000
"$IMGBUILD" push -q oci:base.oci "$there:3.12"
"$IMGBUILD" push -q oci:other.oci "$there:other"

locks() {  # that image
  "$IMGBUILD" lock app.toml -q --no-local
  contains "the lock" "$(cat app.lock)" "${digest#sha256:}"
  cp app.lock before.lock
  "$IMGBUILD" lock app.toml -q --no-local --upgrade system.image
  cmp app.lock before.lock || fail "an upgrade moved what is pinned"
}
# The tag is there for people: it moves on, and nothing else does.
write_spec app "docker://$there:3.12@$digest"
locks
"$IMGBUILD" push -q oci:other.oci "$there:3.12"
equal "the tag" "$(digest_at "$there:3.12")" "$other"
rm app.lock
locks
write_spec app "docker://$there@$digest"
locks
"$IMGBUILD" build app.toml -q --no-local --locked -o oci:app.oci:x
check app.oci
equal "the layers below" "$(manifest_of app.oci | layers_in | sed -n 1,2p)" "$(manifest_of base.oci | layers_in)"
contains "what it is based on" "$(manifest_of app.oci)" "\"org.opencontainers.image.base.digest\":\"$digest\""

# The registry's own files, changed behind its back.
file_of() { echo "store/docker/registry/v2/blobs/sha256/${1:7:2}/${1#sha256:}/data"; }
lies() {  # what it says
  rm -rf "$XDG_CACHE_HOME" app.oci
  refused 4 "127.0.0.1:$port" "$1" -- "$IMGBUILD" build app.toml --no-local --locked -o oci:app.oci:x
  [ ! -e app.oci ] || fail "a layout was written"
}
manifest=$(file_of "$digest")
cp "$manifest" manifest.json
cp "$(file_of "$other")" "$manifest"
equal "what is served now" "$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://127.0.0.1:$port/v2/base/python/manifests/$digest" | sha256sum | cut -d' ' -f1)" "${other#sha256:}"
lies "${digest#sha256:}"
rm app.lock
refused 4 "${digest#sha256:}" -- "$IMGBUILD" lock app.toml --no-local
[ ! -e app.lock ] || fail "a lock was written"
cp manifest.json "$manifest"
"$IMGBUILD" lock app.toml -q --no-local
layer=$(manifest_of base.oci | layers_in | sed -n '2s/ .*//p')
printf x | dd of="$(file_of "$layer")" bs=1 seek=5000 conv=notrunc status=none
lies "${layer#sha256:}"
cp "base.oci/blobs/${layer/://}" "$(file_of "$layer")"
"$IMGBUILD" build app.toml -q --no-local --locked -o oci:app.oci:x
check app.oci
