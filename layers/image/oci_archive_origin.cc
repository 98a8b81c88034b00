#include "layers/image/oci_archive_origin.h"

#include <map>
#include <set>

#include <fmt/format.h>

#include "layers/image/layout_origin.h"
#include "layers/image/take_blob.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;

std::string MemberOf(const Descriptor& blob) { return "blobs/sha256/" + blob.digest.Hex(); }

}  // namespace

OciArchiveOrigin::OciArchiveOrigin(Store& store, const std::filesystem::path& file,
                                   std::string_view name)
    : store_(store), members_(file) {
  specs::WithContext("while reading " + file.string(), [&] {
    if (!members_.Has("index.json")) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("{} is no oci-archive", file.string()))
          .Found("no index.json in it")
          .Hint(members_.Has("manifest.json")
                    ? fmt::format("it may be a docker-archive: docker-archive:{}", file.string())
                    : "");
    }
    specs::RequireLayoutMarker(members_.ReadText("oci-layout"), "oci-layout");
    const specs::LayoutIndex index =
        specs::ParseLayoutIndex(members_.ReadText("index.json"), "index.json");
    const specs::LayoutEntry& entry = ChooseEntry(index, name, "oci-archive:" + file.string());
    name_ = entry.ref_name;
    root_ = RootOf(entry);
  });
}

std::string OciArchiveOrigin::ReadDocument(const Descriptor& document) {
  return members_.ReadText(MemberOf(document));
}

std::vector<SourceBlob> OciArchiveOrigin::Files(const std::vector<Descriptor>& blobs) {
  return specs::WithContext("while reading " + members_.file().string(), [&] {
    std::map<std::string, const Descriptor*> wanted;
    std::set<std::string> names;
    for (const Descriptor& blob : blobs) {
      if (store_.FindBlob(blob.digest, blob.size)) continue;
      const std::string name = members_.Resolve(MemberOf(blob));
      wanted[name] = &blob;
      names.insert(name);
    }
    members_.Read(std::move(names), [&](const std::string& name, Source& content) {
      TakeBlob(store_, *wanted.at(name), content);
    });
    std::vector<SourceBlob> files;
    for (const Descriptor& blob : blobs) {
      files.push_back({blob, store_.paths().Blob(blob.digest)});
    }
    return files;
  });
}

void OciArchiveOrigin::Read(const std::vector<Descriptor>& blobs, const TakeBytes& take) {
  specs::WithContext("while reading " + members_.file().string(), [&] {
    std::map<std::string, std::size_t> places;
    std::set<std::string> names;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      const std::string name = members_.Resolve(MemberOf(blobs[i]));
      places[name] = i;
      names.insert(name);
    }
    members_.Read(std::move(names), [&](const std::string& name, Source& content) {
      take(places.at(name), content);
    });
  });
}

}  // namespace imgbuild::layers
