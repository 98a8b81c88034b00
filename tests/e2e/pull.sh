#!/usr/bin/env bash
# Two real registries on loopback: what podman and buildah pushed in all their forms is pulled and
# inspected, copied between all kinds of places, and read back by skopeo and podman; tags are listed
# and deleted; what is attached to an image goes along. Every blob's digest is recomputed.
. "$(dirname "$0")/lib.sh"
need docker-registry skopeo buildah zstd
use_podman
export no_proxy=127.0.0.1 XDG_CACHE_HOME="$WORK/cache"  # an empty one
port=$(free_port)
other=$(free_port)
third=$(free_port)

registry() {  # name, port, whether things may be deleted
  mkdir -p "$1"
  cat >"$1.yml" <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $WORK/$1}, delete: {enabled: $3}}
http: {addr: "127.0.0.1:$2"}
CONF
  docker-registry serve "$1.yml" >"$1.log" 2>&1 &
  processes+=($!)
  for _ in $(seq 50); do curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$2/v2/" && break; sleep 0.1; done
}
registry one "$port" true
registry two "$other" false
registry three "$third" false
A="127.0.0.1:$port/team"
B="127.0.0.1:$other/team"

imgbuild() { "$IMGBUILD" "$@" --insecure; }
digest_of() { skopeo inspect --tls-verify=false --raw "docker://$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }
check() { python3 "$TOP/tests/e2e/check_layout.py" "$1" >/dev/null; }

# An image of two layers, in no registry yet; another machine's beside it.
mkdir base more
echo hello >base/hello
head -c 3000000 /dev/urandom >more/noise
image() {  # name, architecture
  local container
  container=$(buildah from --arch "$2" scratch)
  buildah copy -q "$container" base / >/dev/null
  buildah config --arch "$2" --user 1000 --env A=B --label team=green --port 8080 --workingdir /work \
    --entrypoint '["/hello","there"]' "$container"
  buildah commit -q --rm "$container" "localhost/$1-base" >/dev/null
  container=$(buildah from --pull-never --arch "$2" "localhost/$1-base")
  buildah copy -q "$container" more / >/dev/null
  buildah commit -q --rm "$container" "localhost/$1" >/dev/null
}
name="pull-$$"
image "$name" amd64
image "$name-arm" arm64

# Every form that they push is pulled as it is. They would take over layers in another compression
# where a registry has them, so zstd has one of its own first.
push() { "$1" push -q --tls-verify=false --format "$2" --compression-format "$3" "localhost/$name" "docker://$4"; }
push buildah v2s2 gzip "$A/app:docker"
push buildah oci gzip "$A/app:oci"
push podman oci zstd "127.0.0.1:$third/z:1"
imgbuild copy -q "127.0.0.1:$third/z:1" "$A/app:zstd"
equal "digest of zstd" "$(digest_of "$A/app:zstd")" "$(digest_of "127.0.0.1:$third/z:1")"
for tag in docker oci zstd; do
  imgbuild pull -q "$A/app:$tag" -o "oci:$tag.oci"
  check "$tag.oci"
  equal "digest of $tag" "$(imgbuild inspect --raw "oci:$tag.oci:$tag" | sha256sum | cut -c1-64)" "$(digest_of "$A/app:$tag" | cut -c8-)"
done
imgbuild pull -q --oci "$A/app:docker" -o oci:as-oci.oci:v1
check as-oci.oci
podman pull -q oci:as-oci.oci:v1 >/dev/null
mkdir default && cd default && imgbuild pull -q "docker://$A/app:oci" && check app.oci && cd ..

# Again: the manifest alone. A damaged blob in the cache is fetched again.
contains "second pull" "$(imgbuild pull "$A/app:zstd" -o oci:again.oci 2>&1)" "0 blobs fetched, 3 there before; 0 B"
damage() {  # the large layer of an image, in the cache
  local digest file
  digest=$(imgbuild inspect --json "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["manifests"][0]["layers"][1]["digest"][7:])')
  file=$XDG_CACHE_HOME/imgbuild/blobs/sha256/${digest:0:2}/$digest
  chmod u+w "$file"
  printf x | dd of="$file" conv=notrunc status=none
}
for tag in docker zstd; do damage "$A/app:$tag"; done
for tag in docker oci zstd; do imgbuild pull -q "$A/app:$tag" -o "oci:healed-$tag.oci"; check "healed-$tag.oci"; done
damage "$A/app:docker"
imgbuild copy -q "$A/app:docker" "$B/healed:docker"
equal "healed copy" "$(digest_of "$B/healed:docker")" "$(digest_of "$A/app:docker")"
skopeo copy -q --src-tls-verify=false "docker://$B/healed:docker" dir:healed.dir

# Killed in the middle: the next run goes on from there.
slow=$(free_port)
python3 "$TOP/tests/e2e/counting_proxy.py" "$slow" "$port" 1000000 "$WORK/counts" answers &
processes+=($!)
sleep 0.3
size=$(imgbuild inspect --json "$A/app:oci" | python3 -c 'import json,sys; print(json.load(sys.stdin)["manifests"][0]["size"])')
XDG_CACHE_HOME="$WORK/killed" "$IMGBUILD" pull -q --insecure "127.0.0.1:$slow/team/app:oci" -o oci:killed.oci &
pull=$!
for _ in $(seq 100); do [ "$(cat counts 2>/dev/null || echo 0)" -gt 1500000 ] && break; sleep 0.05; done
kill -9 "$pull"
wait "$pull" 2>/dev/null || true
[ ! -e killed.oci/index.json ] || fail "the pull was over before it was killed"
XDG_CACHE_HOME="$WORK/killed" imgbuild pull -q "127.0.0.1:$slow/team/app:oci" -o oci:killed.oci
check killed.oci
[ "$(cat counts)" -lt $((size * 13 / 10)) ] || fail "$(cat counts) bytes came for an image of $size"

# What it is.
out=$(imgbuild inspect "$A/app:zstd")
for part in linux/amd64 "/hello there" A=B team=green 8080 "2 layers" tar+zstd "$(digest_of "$A/app:zstd")"; do
  contains "inspect" "$out" "$part"
done
equal "inspect --json" "$(imgbuild inspect --json "oci:docker.oci" | python3 -c '
import json, sys
image = json.load(sys.stdin)["manifests"][0]
print(image["platform"], image["config"]["entrypoint"], image["config"]["user"], len(image["layers"]))')" \
  "linux/amd64 ['/hello', 'there'] 1000 2"
equal "inspect --raw" "$(imgbuild inspect --raw "$A/app:docker")" "$(skopeo inspect --tls-verify=false --raw "docker://$A/app:docker")"

# An index whole, and one platform of it.
buildah manifest create "localhost/$name-index" "localhost/$name" "localhost/$name-arm" >/dev/null
buildah manifest push -q --all --tls-verify=false "localhost/$name-index" "docker://$A/app:index" >/dev/null
imgbuild pull -q "$A/app:index" -o oci:index.oci:all
check index.oci
imgbuild copy -q "$A/app:index" oci:arm.oci --platform linux/arm64
equal "one platform" "$(skopeo inspect --format '{{.Architecture}}' oci:arm.oci:index)" arm64
status=0; out=$(imgbuild pull "$A/app:index" --platform linux/s390x -o oci:none.oci 2>&1) || status=$?
equal "status of a missing platform" "$status" 2
contains "missing platform" "$out" "linux/amd64, linux/arm64"

# Between all places and back, to the same digest.
want=$(digest_of "$A/app:zstd")
imgbuild copy -q "docker://$A/app:zstd" "docker://$B/app:v1"
equal "copied to a registry" "$(digest_of "$B/app:v1")" "$want"
imgbuild copy -q "docker://$B/app:v1" oci-archive:app.tar
imgbuild copy -q oci-archive:app.tar:v1 oci:from-archive.oci
imgbuild copy -q oci:from-archive.oci:v1 "docker://$B/other:v2"
equal "copied around" "$(digest_of "$B/other:v2")" "$want"
skopeo copy -q --preserve-digests oci-archive:app.tar:v1 dir:app.dir
imgbuild copy -q "docker://$A/app:index" "docker://$B/app:index"
equal "an index" "$(digest_of "$B/app:index")" "$(digest_of "$A/app:index")"
contains "again" "$(imgbuild copy "docker://$A/app:index" "docker://$B/app:index" 2>&1)" "it was there already"

# docker's archives: ours are loaded, podman's and skopeo's are read; a registry gets them compressed.
imgbuild copy -q "docker://$A/app:oci" "docker-archive:docker.tar:localhost/$name-loaded:v1"
podman load -q -i docker.tar >/dev/null
equal "loaded" "$(podman image inspect --format '{{.Config.Entrypoint}}' "localhost/$name-loaded:v1")" "[/hello there]"
podman save -q --format docker-archive -o podman.tar "localhost/$name"
skopeo copy -q --src-tls-verify=false "docker://$A/app:docker" "docker-archive:skopeo.tar:team/app:v3"
diff_ids=$(skopeo inspect --tls-verify=false --config "docker://$A/app:oci" | python3 -c 'import json,sys; print(json.load(sys.stdin)["rootfs"]["diff_ids"])')
for archive in docker podman skopeo; do
  imgbuild copy -q "docker-archive:$archive.tar" "oci:$archive-back.oci:v1"
  check "$archive-back.oci"
  imgbuild copy -q "docker-archive:$archive.tar" "docker://$B/$archive:v1"
  equal "layers of $archive" "$(skopeo inspect --tls-verify=false --config "docker://$B/$archive:v1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["rootfs"]["diff_ids"])')" "$diff_ids"
  contains "compressed" "$(imgbuild inspect "$B/$archive:v1")" "tar+zstd"
  podman pull -q --tls-verify=false "$B/$archive:v1" >/dev/null
done

# Within one registry: nothing is fetched or sent. The cache is another, so that it cannot have it.
out=$(XDG_CACHE_HOME="$WORK/cache2" imgbuild copy "docker://$A/app:zstd" "docker://$A/twin:v1" 2>&1)
contains "mounted" "$out" "0 B over the network"
[ -z "$(find cache2 -type f -size +1M)" ] || fail "a copy within a registry went over this machine"
equal "the twin" "$(digest_of "$A/twin:v1")" "$want"

# What is attached goes along, where registries keep no list of it themselves.
python3 - "$want" index.oci "$(skopeo inspect --tls-verify=false --raw "docker://$A/app:zstd" | wc -c)" <<'PY'
import hashlib, json, os, sys
subject, _, size = sys.argv[1:]
os.makedirs("attached.oci/blobs/sha256")
def put(data, media_type, **more):
    digest = hashlib.sha256(data).hexdigest()
    open("attached.oci/blobs/sha256/" + digest, "wb").write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data), **more}
oci = "application/vnd.oci.image."
artifact = put(json.dumps({
    "schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "artifactType": "application/x-sbom",
    "config": put(b"{}", "application/vnd.oci.empty.v1+json"),
    "layers": [put(b"all that is in it", "text/plain")],
    "subject": {"mediaType": oci + "manifest.v1+json", "digest": subject, "size": int(size)},
}).encode(), oci + "manifest.v1+json", artifactType="application/x-sbom", annotations={"made": "today"})
index = put(json.dumps({"schemaVersion": 2, "mediaType": oci + "index.v1+json", "manifests": [artifact]}).encode(),
            oci + "index.v1+json")
open("attached.oci/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
json.dump({"schemaVersion": 2, "manifests": [index]}, open("attached.oci/index.json", "w"))
PY
imgbuild copy -q oci:attached.oci "docker://$A/app:${want/:/-}"
contains "referrers" "$(imgbuild inspect --referrers "$A/app:zstd")" application/x-sbom
imgbuild copy -q --referrers "docker://$A/app:zstd" "docker://$B/attached:v1"
out=$(imgbuild inspect --referrers "$B/attached:v1")
contains "copied referrers" "$out" application/x-sbom
contains "copied referrers" "$out" made=today

# Tags, and deletion where the registry allows it.
equal "tags" "$(imgbuild tags "$A/app" | grep -v '^sha256-' | tr '\n' ' ')" "docker index oci zstd "
fails() { status=0; out=$("$@" 2>&1) || status=$?; [ "$status" != 0 ] || fail "$* did not fail"; }
fails imgbuild rm "$A/app:oci" </dev/null
contains "rm without a terminal" "$out" "--yes"
fails imgbuild rm --yes "$A/app:oci"
contains "rm of a tag alone" "$out" "--digest"
fails imgbuild rm --yes --digest "$B/app:v1"
contains "rm where nothing may be deleted" "$out" "does not let anything be deleted"
imgbuild rm -q --yes --digest "$A/app:oci"
equal "tags after rm" "$(imgbuild tags "$A/app" | grep -v '^sha256-' | tr '\n' ' ')" "docker index zstd "
fails imgbuild pull "$A/app:oci"
contains "a deleted image" "$out" "has no tag oci"

podman rmi -f $(podman images -q --filter "reference=localhost/$name*") >/dev/null 2>&1 || true
