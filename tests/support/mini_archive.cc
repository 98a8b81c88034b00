#include "tests/support/mini_archive.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include "specs/base/digest.h"

namespace imgbuild::support {

std::string Gzip(const std::string& bytes) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string packed(libdeflate_gzip_compress_bound(compressor, bytes.size()), '\0');
  packed.resize(libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), packed.data(),
                                         packed.size()));
  libdeflate_free_compressor(compressor);
  return packed;
}

std::string MiniSuite::Packages(const std::string& architecture,
                                const std::string& component) const {
  std::string text;
  for (const MiniDeb& deb : packages) {
    if (deb.architecture != "all" && deb.architecture != architecture) continue;
    if (deb.component != component) continue;
    std::string bytes = deb.Bytes();
    if (!text.empty()) text += '\n';
    text += deb.Control();
    text += fmt::format("Filename: {}\nSize: {}\nSHA256: {}\n", deb.PoolPath(), bytes.size(),
                        specs::HashOf(bytes).Hex());
  }
  return text;
}

std::string MiniSuite::Release() const {
  std::string text =
      fmt::format("Origin: Mini\nSuite: {}\nCodename: {}\nDate: {}\n", suite, codename, date);
  if (!valid_until.empty()) text += fmt::format("Valid-Until: {}\n", valid_until);
  if (by_hash) text += "Acquire-By-Hash: yes\n";
  text += "Architectures:";
  for (const std::string& architecture : architectures) text += " " + architecture;
  text += "\nComponents:";
  for (const std::string& component : components) text += " " + component;
  text += "\nSHA256:\n";
  for (const std::string& component : components) {
    for (const std::string& architecture : architectures) {
      std::string plain = Packages(architecture, component);
      std::string packed = Gzip(plain);
      std::string path = fmt::format("{}/binary-{}/Packages", component, architecture);
      text += fmt::format(" {} {:8} {}\n", specs::HashOf(plain).Hex(), plain.size(), path);
      text += fmt::format(" {} {:8} {}.gz\n", specs::HashOf(packed).Hex(), packed.size(), path);
    }
  }
  return text;
}

std::string MiniArchive::DistUrl(const std::string& codename) const {
  return fmt::format("{}/dists/{}", codename.ends_with("-security") ? security_url_ : archive_url_,
                     codename);
}

void MiniArchive::Publish(const MiniSuite& suite) {
  const std::string dist = DistUrl(suite.codename);
  std::string signed_text = signer_.ClearSign(suite.Release());
  std::string etag = fmt::format("\"{}\"", specs::HashOf(signed_text).Hex().substr(0, 16));
  http_.Serve(dist + "/InRelease", signed_text, {{"ETag", etag}});
  for (const std::string& component : suite.components) {
    for (const std::string& architecture : suite.architectures) {
      std::string folder = fmt::format("{}/{}/binary-{}", dist, component, architecture);
      std::string packed = Gzip(suite.Packages(architecture, component));
      http_.Serve(folder + "/Packages.gz", packed);
      if (!suite.by_hash) continue;
      http_.Serve(fmt::format("{}/by-hash/SHA256/{}", folder, specs::HashOf(packed).Hex()), packed);
    }
  }
  const std::string mirror = dist.substr(0, dist.find("/dists/"));
  for (const MiniDeb& deb : suite.packages) {
    http_.Serve(fmt::format("{}/{}", mirror, deb.PoolPath()), deb.Bytes());
  }
}

}  // namespace imgbuild::support
