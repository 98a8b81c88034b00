#!/usr/bin/env bash
# Images that crane, buildah and podman push in all the forms they have are pulled as they are: the
# registry's own copy is of the kinds that are meant, and every file comes back with its bytes.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry buildah podman skopeo zstd
go_tool crane
use_podman
port=$(free_port) zstd=$(free_port)
registry gzip "$port"
# buildah and podman take over layers in another compression from where they saw them: zstd is pushed
# to a registry of its own.
registry zstd "$zstd"
A="127.0.0.1:$port/team/app" Z="127.0.0.1:$zstd/team/app"

# Two layers, one of which has a file that nothing compresses.
mkdir -p tree/etc tree/bin
echo hello >tree/etc/hello
ln -s ../etc/hello tree/bin/link
head -c 200000 /dev/urandom >tree/noise
tar -C tree --owner=0 --group=0 --numeric-owner -cf first.tar etc bin
tar -C tree --owner=0 --group=0 --numeric-owner -cf second.tar noise
for name in first second; do gzip -nk "$name.tar"; zstd -qk "$name.tar"; done

kinds() {  # reference: the kinds of the manifest, its configuration and its layers, each once
  skopeo inspect --raw --tls-verify=false "docker://$1" | python3 -c '
import json, sys
manifest = json.load(sys.stdin)
short = lambda kind: kind.removeprefix("application/vnd.")
print(short(manifest["mediaType"]), short(manifest["config"]["mediaType"]),
      *sorted({short(layer["mediaType"]) for layer in manifest["layers"]}))'
}
docker="docker.distribution.manifest.v2+json docker.container.image.v1+json docker.image.rootfs.diff.tar.gzip"
oci="oci.image.manifest.v1+json oci.image.config.v1+json oci.image.layer.v1.tar"
pulled() {  # reference, kinds
  equal "the kinds of $1" "$(kinds "$1")" "$2"
  rm -rf back.oci files
  mkdir files
  "$IMGBUILD" pull -q "docker://$1" -o oci:back.oci:x --insecure
  check back.oci
  equal "the digest of $1" "$(layout_digest back.oci)" "$(crane digest --insecure "$1")"
  python3 "$TOP/tests/e2e/unpack_layout.py" back.oci amd64 files >/dev/null
  diff -r --no-dereference tree files || fail "$1 came back with other files"
}

# crane: layers put upon nothing, an archive such as `docker save` writes, and a layout. Its empty image
# is for no platform.
crane() { command crane "$@" 2>crane.log || fail "crane $*: $(cat crane.log)"; }
appended() {  # reference, ending of the layers, options
  crane append --insecure -f "first.tar$2,second.tar$2" -t "$1" "${@:3}" >/dev/null
  crane mutate --insecure --set-platform linux/amd64 -t "$1" "$1" >/dev/null
}
appended "$A:crane-docker" .gz
pulled "$A:crane-docker" "$docker"
appended "$A:crane-oci" .gz --oci-empty-base
pulled "$A:crane-oci" "$oci+gzip"
appended "$Z:crane-oci" .zst --oci-empty-base
pulled "$Z:crane-oci" "$oci+zstd"
skopeo copy -q --src-tls-verify=false "docker://$A:crane-docker" docker-archive:saved.tar:team/app:saved
crane push --insecure saved.tar "$A:crane-saved" >/dev/null
pulled "$A:crane-saved" "$docker"
skopeo copy -q --src-tls-verify=false --preserve-digests "docker://$Z:crane-oci" oci:zstd.oci:x
crane push --insecure zstd.oci "$Z:crane-layout" >/dev/null
pulled "$Z:crane-layout" "$oci+zstd"

# buildah and podman, from an image of the same two layers.
name="localhost/clients-$$"
container=$(buildah from --arch amd64 scratch)
buildah add -q "$container" first.tar / >/dev/null
buildah commit -q --rm "$container" "$name-first" >/dev/null
container=$(buildah from --pull-never --arch amd64 "$name-first")
buildah add -q "$container" second.tar / >/dev/null
buildah commit -q --rm "$container" "$name" >/dev/null
push() { "$1" push -q --tls-verify=false --format "$2" --compression-format "$3" "$name" "docker://$4"; }
for tool in buildah podman; do
  push "$tool" v2s2 gzip "$A:$tool-docker"
  pulled "$A:$tool-docker" "$docker"
  push "$tool" oci gzip "$A:$tool-oci"
  pulled "$A:$tool-oci" "$oci+gzip"
  push "$tool" oci zstd "$Z:$tool-oci"
  pulled "$Z:$tool-oci" "$oci+zstd"
done
podman rmi -f "$name" "$name-first" >/dev/null
