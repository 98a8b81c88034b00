#!/usr/bin/env bash
# V5 on images of others: one that mmdebstrap made, from a registry, and one that buildah built from
# nothing with a user, an environment and a Python of its own, from a layout.
. "$(dirname "$0")/lib.sh"
need docker-registry mmdebstrap buildah curl skopeo openssl
[ "$(id -u)" = 0 ] || skip "buildah's chroot isolation is used as root here"
use_podman

registry=$(free_port)
cat >registry.yml <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $WORK/registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$registry"}
CONF
docker-registry serve registry.yml >registry.log 2>&1 &
processes+=($!)
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
export CONTAINERS_REGISTRIES_CONF="$WORK/registries.conf"
cat >"$CONTAINERS_REGISTRIES_CONF" <<CONF
[[registry]]
location = "127.0.0.1:$registry"
insecure = true
CONF

debian_root base.tar python3,libpython3.11,ca-certificates  # as base_kinds.sh
base=$(podman import -q base.tar)
podman push -q --format v2s2 "$base" "127.0.0.1:$registry/base/debian:12"
debian_root empty.tar ca-certificates
cat >Dockerfile <<DOCKERFILE
FROM scratch
ADD empty.tar /
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends python3 >/dev/null
RUN useradd -m -u 1000 ada && echo hello >/etc/greeting
ENV GREETING=hello PATH=/opt/tools:/usr/local/bin:/usr/bin:/bin
LABEL org.example.base=yes
EXPOSE 9999
RUN rm -rf /usr/share/doc /usr/share/man
DOCKERFILE
buildah build -q --isolation chroot --layers --format oci -f Dockerfile -t localhost/e2e-base . >/dev/null
podman push -q localhost/e2e-base oci:built.oci:x

layers_of() { python3 - "$1" <<'PYTHON'
import json, pathlib, sys
layout = pathlib.Path(sys.argv[1])
blob = lambda descriptor: json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())
manifest = blob(json.loads((layout / "index.json").read_text())["manifests"][0])
config = blob(manifest["config"])
print(len(manifest["layers"]), *[layer["digest"] for layer in manifest["layers"]])
assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])
assert sum(not entry.get("empty_layer") for entry in config["history"]) == len(manifest["layers"])
PYTHON
}

# Answers by TLS under a certificate that the spec brings: only who trusts it takes it.
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=e2e authority" \
  -addext "subjectAltName=DNS:localhost" -keyout corp.key -out corp.crt 2>/dev/null
chmod 644 corp.key && chmod 755 .  # containers' users read them
cat >trust.py <<'PYTHON'
import os, socket, ssl, sys, threading
assert sys.prefix == "/opt/venv", sys.prefix
import numpy, pandas, scipy, matplotlib, fasthtml
bundle = ssl.create_default_context()
bundle.load_verify_locations("/etc/ssl/certs/ca-certificates.crt")
assert len(bundle.get_ca_certs()) > 100, len(bundle.get_ca_certs())
folder = ssl.get_default_verify_paths().capath
assert sum(name.endswith(".0") for name in os.listdir(folder)) > 100, folder
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/e2e/corp.crt", "/e2e/corp.key")
    while True:
        connection = listener.accept()[0]
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()
threading.Thread(target=serve, daemon=True).start()
def greet(context):
    with socket.create_connection(listener.getsockname()) as plain:
        context.wrap_socket(plain, server_hostname="localhost").close()
greet(ssl.create_default_context())
try:
    greet(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    raise SystemExit("whoever trusts nobody takes it, too")
except ssl.SSLCertVerificationError:
    print("ok")
PYTHON

# All that V5 promises; what podman run is given beside the image may take some of it away.
runs() {  # image, options
  local image=$1 jupyter web began took page logs token pids pid
  shift
  jupyter=$(free_port) web=$(free_port)
  start -p "127.0.0.1:$jupyter:8888" -p "127.0.0.1:$web:5001" -v "$WORK:/e2e:ro" "$@" "$image"
  answers "http://127.0.0.1:$jupyter/api" 20 | grep -q version || fail "JupyterLab's API"
  page=$(answers "http://127.0.0.1:$web/" 20)
  contains "the page names the environment" "$page" "notebook"
  contains "the page links to JupyterLab" "$page" "/lab"
  sleep 1
  logs=$(podman logs "$container" 2>&1)
  token=$(printf '%s' "$logs" | grep -o 'lab?token=[0-9a-f]*' | grep -v '^.*token=$' | head -1 | cut -d= -f2)
  [ ${#token} -ge 32 ] || fail "no token in the log: $logs"
  equal "the right token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels?token=$token")" 200
  equal "no token" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$jupyter/api/kernels")" 403
  equal "packages and certificates" "$(podman exec "$container" python3 /e2e/trust.py)" ok
  podman exec "$container" python3 -c '
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) != os.getpid() and b"uvicorn" in open(f"/proc/{pid}/cmdline", "rb").read():
        os.kill(int(pid), signal.SIGKILL)'
  sleep 0.3
  answers "http://127.0.0.1:$web/" 20 >/dev/null
  pids=$(podman top "$container" hpid | tail -n +2)
  [ "$(wc -l <<<"$pids")" -ge 3 ] || fail "who runs: $pids"
  began=$(date +%s%N)
  podman stop "$container" >/dev/null
  took=$((($(date +%s%N) - began) / 1000000))
  [ "$took" -lt 5000 ] || fail "podman stop took $took ms"
  equal "exit status" "$(podman inspect -f '{{.State.ExitCode}}' "$container")" 0
  for pid in $pids; do
    [ ! -e "/proc/$pid/exe" ] || fail "$pid is still there: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done
  podman rm -f "$container" >/dev/null
}

cp "$TOP"/specs/examples/*.toml .
spec() {  # name, base image
  printf 'extends = "v5-notebook.toml"\n[image]\nname = "%s-notebook"\n[system]\nimage = "%s"\ncertificates = ["corp.crt"]\n' "$1" "$2" >"$1.toml"
}

# From the registry, in docker's format: its layers are below ours, as they are.
spec debian "127.0.0.1:$registry/base/debian:12"
"$IMGBUILD" build debian.toml -q --no-local -o oci:debian.oci:x
skopeo inspect --tls-verify=false "docker://127.0.0.1:$registry/base/debian:12" >base.json
below=$(python3 -c 'import json; print(" ".join(json.load(open("base.json"))["Layers"]))')
read -r count layers <<<"$(layers_of debian.oci)"
[ "$count" -gt 3 ] || fail "only $count layers"
case "$layers" in "$below"*) ;; *) fail "the base's layers $below are not below $layers" ;; esac
python3 "$TOP/tests/e2e/check_layout.py" debian.oci
debian=$(podman pull -q oci:debian.oci:x)
runs "$debian"
runs "$debian" --user 12345:0
runs "$debian" --read-only --read-only-tmpfs=false --tmpfs /tmp
contains "the lock" "$(cat debian.lock)" "digest = \"$(python3 -c 'import json; print(json.load(open("base.json"))["Digest"][7:])')\""
equal "V1 beside it" "$(podman run --rm "$debian" python3 --version)" "Python 3.11.2"

# Nothing of the base goes to the registry that has it, and nothing of it is needed here for that.
rm "$XDG_CACHE_HOME"/imgbuild/blobs/sha256/"${below#sha256:}" 2>/dev/null ||
  find "$XDG_CACHE_HOME/imgbuild" -name "${below#sha256:}*" -path '*blob*' -delete
pushed=$("$IMGBUILD" build debian.toml --json --no-local --push "docker://127.0.0.1:$registry/team/v5:x" | tail -1)
equal "mounted" "$(printf '%s' "$pushed" | python3 -c 'import json, sys; print(json.load(sys.stdin)["pushed"][0]["mounted"])')" 1
[ -z "$(find "$XDG_CACHE_HOME/imgbuild" -name "${below#sha256:}*" -path '*blob*')" ] || fail "the base was fetched"
skopeo inspect --raw --tls-verify=false "docker://127.0.0.1:$registry/team/v5:x" >manifest.json
equal "the same image" "sha256:$(sha256sum <manifest.json | cut -d' ' -f1)" \
  "$(python3 -c 'import json; print(json.load(open("debian.oci/index.json"))["manifests"][0]["digest"])')"
contains "where it comes from" "$(cat manifest.json)" "org.opencontainers.image.base.name\":\"127.0.0.1:$registry/base/debian:12"

# A tag that moves on does not move the build; `lock --upgrade` does.
podman push -q localhost/e2e-base "127.0.0.1:$registry/base/debian:12"
"$IMGBUILD" build debian.toml -q --no-local --locked -o oci:again.oci:x
equal "the locked base" "$(layers_of again.oci)" "$(layers_of debian.oci)"
"$IMGBUILD" lock debian.toml -q --no-local --upgrade system.image
"$IMGBUILD" build debian.toml -q --no-local --locked -o oci:moved.oci:x
[ "$(layers_of moved.oci)" != "$(layers_of debian.oci)" ] || fail "lock --upgrade did not move the base"

# From a layout, with a user, environment, label and port that stay.
spec built oci:built.oci:x
"$IMGBUILD" build built.toml -q --no-local -o oci:mine.oci:x
mine=$(podman pull -q oci:mine.oci:x)
runs "$mine"
runs "$mine" --user 12345:0
runs "$mine" --read-only --read-only-tmpfs=false --tmpfs /tmp
equal "its environment" "$(podman run --rm "$mine" sh -c 'echo $GREETING $(cat /etc/greeting) $(id -un) $PATH')" \
  "hello hello ada /opt/venv/bin:/opt/tools:/usr/local/bin:/usr/bin:/bin"
contains "its label" "$(podman inspect "$mine")" '"org.example.base": "yes"'
contains "its port" "$(podman inspect -f '{{.Config.ExposedPorts}}' "$mine")" 9999
equal "what it removed" "$(podman run --rm "$mine" ls /usr/share/doc 2>&1 | grep -c 'No such file')" 1
"$IMGBUILD" build built.toml -q --no-local --check --push "docker://127.0.0.1:$registry/team/mine:x"

# What cannot be had.
complains() {  # what is expected, then changes to the spec
  local expected=$1 status=0
  shift
  "$IMGBUILD" lock built.toml -q --no-local "$@" >out 2>&1 || status=$?
  [ "$status" != 0 ] || fail "no complaint: $*"
  contains "$*" "$(cat out)" "$expected"
}
complains 'the base image has no Python 3.12' --set 'python.version="3.12"'
complains 'Python 3.11' --set 'python.version="3.13"'
complains 'is not for linux/arm64' --platform linux/arm64
complains 'none.oci' --set 'system.image="oci:none.oci"'
complains 'has no tag nothing' --set "system.image=\"127.0.0.1:$registry/base/debian:nothing\""

# Another image in the locked one's place is not taken for it.
podman push -q "$base" oci:third.oci:x
spec third oci:third.oci:x
"$IMGBUILD" build third.toml -q --no-local -o oci:before.oci:x
rm -rf third.oci && podman push -q localhost/e2e-base oci:third.oci:y && mv third.oci/index.json index.old
sed 's/"y"/"x"/' index.old >third.oci/index.json
status=0; "$IMGBUILD" build third.toml -q --no-local --locked --set 'image.labels={a="b"}' -o oci:other.oci 2>out || status=$?
equal "exit status" "$status" 4
contains "a base that changed" "$(cat out)" "is not the image that is locked"
