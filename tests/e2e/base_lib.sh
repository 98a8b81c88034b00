# Builds on an image of next to nothing, which ask nobody for packages. After registry_lib.sh.
need zstd  # check_layout.py reads layers with it

# NAME.oci; its digest is in $digest.
base_of() {  # name, options of make_base.py
  digest=$(python3 "$TOP/tests/e2e/make_base.py" "$1.oci" "${@:2}")
}
wheels() { python3 "$TOP/tests/e2e/make_wheel.py" "$@"; }  # version, bytes, names...
write_spec() {  # name, base image, wheels...
  local packages=""
  for wheel in "${@:3}"; do packages+="\"$wheel\", "; done
  cat >"$1.toml" <<SPEC
format = 1
[image]
name = "$1"
platforms = ["linux/amd64"]
[system]
image = "$2"
[python]
version = "3.12"
packages = [$packages]
compile = "none"
SPEC
}
# Of a layout, its image's manifest or configuration.
manifest_of() { cat "$1/blobs/$(layout_digest "$1" | tr : /)"; }
config_of() {
  cat "$1/blobs/$(manifest_of "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["config"]["digest"])' | tr : /)"
}
# Of a manifest on standard input, its layers: a digest and a size each.
layers_in() {
  python3 -c 'import json, sys; [print(layer["digest"], layer["size"]) for layer in json.load(sys.stdin)["layers"]]'
}
