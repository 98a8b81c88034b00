// A wheel's RECORD (PEP 427, "The .dist-info directory"; PEP 376): what each file must be.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "layers/unpack/zip_archive.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

class WheelRecord {
 public:
  // Reads RECORD of `dist_info` and throws Error (kVerification) where it cannot be read, names a
  // file twice differently or one that is not there, leaves out a file of the wheel, or says
  // another size. RECORD itself and its signatures (RECORD.jws, RECORD.p7s) are not in it.
  WheelRecord(const ZipArchive& zip, ZipReader& reader, const std::string& dist_info);

  // What RECORD promises; nullopt where it uses an algorithm stronger than SHA-256 (which counts
  // on the archive's own digest then) and for the files that are not in it.
  std::optional<specs::Sha256> Expected(std::string_view member) const;

  // Throws Error (kVerification) where the file's digest is not the promised one.
  void Check(std::string_view member, const specs::Sha256& found) const;

 private:
  std::map<std::string, std::optional<specs::Sha256>, std::less<>> digests_;
};

}  // namespace imgbuild::layers
