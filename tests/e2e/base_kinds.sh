#!/usr/bin/env bash
# Kinds of base images: from an oci-archive, one of Ubuntu's kind (another name, a user that is there
# already), and one of the official Python images' kind (a shared Python in /usr/local).
. "$(dirname "$0")/lib.sh"
need mmdebstrap buildah gcc
[ "$(id -u)" = 0 ] || skip "buildah's chroot isolation is used as root here"
use_podman

debian_root root.tar python3,libpython3.11,ca-certificates
base=$(podman import -q root.tar)

build() {  # name, base image
  cat >"$1.toml" <<SPEC
format = 1
[image]
name = "$1"
[system]
image = "$2"
[python]
version = "3.11"
packages = ["numpy", "pip"]
SPEC
  "$IMGBUILD" build "$1.toml" -q --no-local --check -o "oci:$1.oci:x"
  built=$(podman pull -q "oci:$1.oci:x")
}

works() {  # image, where Python lies
  equal "its Python" "$(podman run --rm "$1" python3 -c '
import sys, sqlite3, ssl, ctypes, numpy
assert numpy.arange(6).reshape(2, 3).sum() == 15
print(sys.prefix, sys.base_prefix, sys.version.split()[0])')" "/opt/venv $2 3.11.2"
  contains "pip" "$(podman run --rm "$1" pip --version)" "/opt/venv/lib/python3.11"
}

image_of() {  # tag, Dockerfile
  printf '%s\n' "$2" >Dockerfile
  buildah build -q --isolation chroot --format oci -f Dockerfile -t "localhost/e2e-$1" . >/dev/null
}

podman push -q "$base" oci-archive:debian.tar:x
build archived oci-archive:debian.tar:x
works "$built" /usr
rm -r archived.oci && "$IMGBUILD" build archived.toml -q --no-local --locked -o oci:archived.oci:x

image_of ubuntu "FROM $base
RUN printf 'PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n' >/usr/lib/os-release
RUN echo noble/sid >/etc/debian_version && groupadd -g 1000 ubuntu && useradd -m -u 1000 -g 1000 -s /bin/bash ubuntu"
podman push -q localhost/e2e-ubuntu oci:ubuntu-base.oci:x
build ubuntu oci:ubuntu-base.oci:x
works "$built" /usr
equal "its user" "$(podman run --rm "$built" sh -c 'echo $(id -un) $(id -u) && . /etc/os-release && echo $ID')" "ubuntu 1000
ubuntu"

# As `make install` of a shared Python leaves it: the program calls a library beside it, which alone
# says which version it is.
tar -xf root.tar ./usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0 ./usr/lib/x86_64-linux-gnu/libexpat.so.1 2>/dev/null || true
printf 'int Py_BytesMain(int, char **);\nint main(int argc, char **argv) { return Py_BytesMain(argc, argv); }\n' >main.c
gcc -o python3.11 main.c usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0 \
  -Wl,-rpath,/usr/local/lib -Wl,--unresolved-symbols=ignore-in-shared-libs
image_of python "FROM $base
RUN mv /usr/lib/python3.11 /usr/local/lib/python3.11.new && rm -rf /usr/local/lib/python3.11 && \
    mv /usr/local/lib/python3.11.new /usr/local/lib/python3.11 && \
    mv /usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0 /usr/local/lib && \
    rm -f /usr/lib/x86_64-linux-gnu/libpython* /usr/bin/python3* && rm -rf /usr/lib/python3*
COPY python3.11 /usr/local/bin/python3.11
RUN ln -s python3.11 /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python && ldconfig
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHON_VERSION=3.11.2
CMD python3"
equal "the base itself" "$(podman run --rm localhost/e2e-python python3 -c 'import sys; print(sys.prefix)')" /usr/local
podman push -q localhost/e2e-python oci:python-base.oci:x
build python oci:python-base.oci:x
works "$built" /usr/local
contains "its environment" "$(podman inspect "$built")" "PYTHON_VERSION=3.11.2"
