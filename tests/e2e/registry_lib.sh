# What the scripts about registries share, beside lib.sh, which it sources: registries on loopback,
# small images of noise, certificates, other people's tools.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need curl python3

export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
export XDG_CACHE_HOME="$WORK/cache"          # what was pushed where is remembered there
export REGISTRY_AUTH_FILE="$WORK/auth.json"  # of these tests alone
export CONTAINERS_REGISTRIES_CONF="$WORK/registries.conf"
: >registries.conf
echo {} >auth.json
certs="$XDG_CONFIG_HOME/containers/certs.d"

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await() {  # port, what listens there
  for _ in $(seq 200); do
    listens "$1" && return
    sleep 0.05
  done
  fail "$2 does not start: $(head -3 "$WORK/$2.log")"
}

# A registry that keeps what it has in ./NAME. More of its configuration are lines of YAML; PROGRAM
# is docker-registry where none is named. Its process is $registry_pid.
registry() {  # name, port, more of http, more of storage, other lines, program
  mkdir -p "$1"
  cat >"$1.yml" <<CONF
version: 0.1
log: {level: info, formatter: json, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${folder:-$WORK/$1}}, delete: {enabled: true}${4:+, $4}}
http: {addr: "127.0.0.1:$2"${3:+, $3}}
${5:-}
CONF
  # Variables named REGISTRY_... would be taken for configuration.
  env -u REGISTRY_AUTH_FILE OTEL_TRACES_EXPORTER=none "${6:-docker-registry}" serve "$1.yml" >"$1.log" 2>&1 &
  registry_pid=$!
  processes+=($registry_pid)
  await "$2" "$1"
}

background() {  # name, port, command...
  local name=$1 port=$2
  shift 2
  "$@" >"$name.log" 2>&1 &
  processes+=($!)
  await "$port" "$name"
}

# NAME.oci, an image of layers of so many bytes; its digest is in $digest.
image_of() {  # name, bytes...
  local name=$1
  shift
  digest=$(python3 "$TOP/tests/e2e/make_layout.py" "$name.oci" "$@")
}
check() { python3 "$TOP/tests/e2e/check_layout.py" "$1" >/dev/null || fail "$1 is no sound layout"; }
layout_digest() {
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]["digest"])' "$1"
}
# What is under a tag, asked with curl alone; nothing where there is none.
digest_at() {  # host/repository:tag, options of curl
  local place=${1%:*} tag=${1##*:}
  shift
  curl -sk -o /dev/null -w '%header{docker-content-digest}' -I \
    -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$@" \
    "${scheme:-http}://${place%%/*}/v2/${place#*/}/manifests/$tag"
}

# Fails: the command ends with that status, and says each of the parts.
refused() {  # status, parts..., -- command...
  local status=$1 parts=() found=0
  shift
  while [ "$1" != -- ]; do parts+=("$1"); shift; done
  shift
  out=$("$@" 2>&1) || found=$?
  equal "status of $*" "$found" "$status"
  for part in "${parts[@]}"; do contains "$*" "$out" "$part"; done
}

authority() {  # name: NAME.crt and NAME.key
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.crt" 2>openssl.log || fail "openssl: $(cat openssl.log)"
}
certificate() {  # name, authority, its subjectAltName
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
    -keyout "$1.key" -out "$1.csr" 2>openssl.log || fail "openssl: $(cat openssl.log)"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 2 \
    -extfile "$1.ext" -out "$1.crt" 2>openssl.log || fail "openssl: $(cat openssl.log)"
}

# Others' tools, built once into a folder that the scripts share, and of fixed versions.
export GOBIN="$E2E_ROOT/gobin" CGO_ENABLED=0
export PATH="$GOBIN:$PATH"
go_tool() {  # crane, oras, regctl or registry
  local module
  case "$1" in
    crane) module=github.com/google/go-containerregistry/cmd/crane@v0.22.1 ;;
    oras) module=oras.land/oras/cmd/oras@v1.3.6 ;;
    regctl) module=github.com/regclient/regclient/cmd/regctl@v0.11.7 ;;
    registry) module=github.com/distribution/distribution/v3/cmd/registry@v3.1.2 ;;
  esac
  # Each version has a mark of its own, so that another version here is built.
  local mark="$GOBIN/.$1-${module##*@}"
  [ -e "$mark" ] && return
  need go
  env -u XDG_CACHE_HOME go install "$module" >go.log 2>&1 ||
    { tail -3 go.log >&2; skip "$1 cannot be built: no module proxy?"; }
  : >"$mark"
}
