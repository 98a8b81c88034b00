// Where a wheel's files go in a virtual environment (PEP 427, "Installing a wheel", "Spread";
// sysconfig's posix_prefix scheme).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "layers/unpack/wheel.h"
#include "layers/unpack/zip_archive.h"

namespace imgbuild::layers {

// What the wheel says about itself.
struct WheelIdentity {
  std::string dist_info;  // "numpy-2.1.0.dist-info"
  std::string data;       // "numpy-2.1.0.data"
  std::string name;       // as METADATA writes it
  std::string version;    // likewise
};

// Finds .dist-info and checks WHEEL and METADATA. Throws Error for what is no wheel, for a
// Wheel-Version of another major number than 1, and where the names in file name, .dist-info and
// METADATA are not one.
WheelIdentity IdentifyWheel(const ZipArchive& zip, ZipReader& reader, std::string_view file_name);

enum class WheelScheme { kLibrary, kScript, kData, kHeader };

struct WheelTarget {
  std::string path;  // in the image
  WheelScheme scheme = WheelScheme::kLibrary;
};

class WheelLayout {
 public:
  WheelLayout(const WheelOptions& options, const WheelIdentity& wheel);

  // Throws Error for a folder of .data that is no scheme.
  WheelTarget TargetOf(std::string_view member) const;
  // "/opt/venv/bin/python".
  std::string Interpreter() const { return "/" + prefix_ + "/bin/python"; }
  std::string Script(std::string_view name) const;
  const std::string& site() const { return site_; }
  // As RECORD writes an installed path: relative to site-packages.
  std::string RecordPath(std::string_view path) const;

 private:
  std::string prefix_;
  std::string site_;     // "opt/venv/lib/python3.11/site-packages"
  std::string headers_;  // "opt/venv/include/site/python3.11/NAME"
  std::string data_;     // "NAME-VERSION.data/"
};

}  // namespace imgbuild::layers
