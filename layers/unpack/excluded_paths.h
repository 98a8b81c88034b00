// What a slim image leaves out of each Debian package: documentation and translations, as Debian's
// own slim container images do (dpkg.cfg(5), path-exclude and path-include).
#pragma once

#include <string_view>

namespace imgbuild::layers {

// The rules, as dpkg.cfg would write them; the last that matches decides, "*" matches "/" too:
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
// `path` is a file, link or directory of the package, relative to the root: "usr/share/man/man1".
// Directories that only an included file needs are kept by its presence alone: they are excluded
// here and come back as its ancestors.
bool ExcludedPath(std::string_view path);

}  // namespace imgbuild::layers
