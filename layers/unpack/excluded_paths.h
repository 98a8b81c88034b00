// What a slim image leaves out of each Debian package: documentation and translations, as Debian's
// own slim container images do (dpkg.cfg(5), path-exclude and path-include).
#pragma once

#include <string_view>

#include "layers/tree/node.h"

namespace imgbuild::layers {

// The rules, as dpkg.cfg writes them; the last that matches decides, "*" matches "/" too:
//
//   path-exclude=/usr/share/doc/*
//   path-include=/usr/share/doc/*/copyright
//   path-exclude=/usr/share/man/*
//   path-exclude=/usr/share/info/*
//   path-exclude=/usr/share/groff/*
//   path-exclude=/usr/share/lintian/*
//   path-exclude=/usr/share/linda/*
//   path-exclude=/usr/share/locale/*
//   path-include=/usr/share/locale/locale.alias
//
// `path` is relative to the root: "usr/share/man/man1". As with dpkg, a symbolic link that may
// stand for a package's whole folder of documentation ("usr/share/doc/libgcc-s1") stays. A
// directory is excluded even where an included file lies in it: as that file's ancestor it is in
// the image all the same.
bool ExcludedPath(std::string_view path, NodeType type);

}  // namespace imgbuild::layers
