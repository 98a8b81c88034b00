#include "layers/image/layout_origin.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/descriptor_json.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Descriptor;
using specs::Error;
using specs::ErrorKind;

}  // namespace

const specs::LayoutEntry& ChooseEntry(const specs::LayoutIndex& index, std::string_view name,
                                      std::string_view place) {
  std::vector<std::string> names;
  for (const specs::LayoutEntry& entry : index.entries) {
    if (entry.ref_name == name && !name.empty()) return entry;
    if (!entry.ref_name.empty()) names.push_back(entry.ref_name);
  }
  if (name.empty() && !index.entries.empty()) {
    // Several names of one image are no question.
    const specs::LayoutEntry& first = index.entries.front();
    if (std::ranges::all_of(index.entries, [&](const specs::LayoutEntry& entry) {
          return entry.digest == first.digest;
        })) {
      return first;
    }
    throw Error(ErrorKind::kUsage, fmt::format("{} holds several images", place))
        .Found(fmt::format("{}", fmt::join(names, ", ")))
        .Hint(fmt::format("name one: {}:{}", place, names.empty() ? "TAG" : names.front()));
  }
  throw Error(ErrorKind::kUsage,
              fmt::format("{} holds no image{}", place,
                          name.empty() ? "" : fmt::format(" named \"{}\"", name)))
      .Found(names.empty() ? "no names" : fmt::format("{}", fmt::join(names, ", ")));
}

Descriptor RootOf(const specs::LayoutEntry& entry) {
  return specs::Understand("index.json", [&] {
    Descriptor root = specs::ToDescriptor(specs::ParseJsonDocument(entry.json));
    root.annotations.clear();  // the layout's own, not the image's
    return root;
  });
}

LayoutOrigin::LayoutOrigin(fs::path layout, std::string_view name) : layout_(std::move(layout)) {
  std::error_code ignored;
  if (!fs::exists(layout_ / "index.json", ignored)) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is no OCI layout", layout_.string()))
        .Found(fs::exists(layout_, ignored) ? "no index.json in it" : "nothing there")
        .Hint("build the image first: imgbuild build");
  }
  specs::RequireLayoutMarker(ReadFile(layout_ / "oci-layout", specs::kMaxDocument),
                             (layout_ / "oci-layout").string());
  const std::string text = ReadFile(layout_ / "index.json", specs::kMaxDocument);
  const specs::LayoutIndex index = specs::ParseLayoutIndex(text, (layout_ / "index.json").string());
  const specs::LayoutEntry& entry = ChooseEntry(index, name, "oci:" + layout_.string());
  name_ = entry.ref_name;
  root_ = specs::WithContext("while reading " + layout_.string(), [&] { return RootOf(entry); });
}

std::string LayoutOrigin::ReadDocument(const Descriptor& document) {
  return ReadFile(PathOf(document), specs::kMaxDocument);
}

std::vector<SourceBlob> LayoutOrigin::Files(const std::vector<Descriptor>& blobs) {
  std::vector<SourceBlob> files;
  for (const Descriptor& blob : blobs) files.push_back({blob, PathOf(blob)});
  return files;
}

fs::path LayoutOrigin::PathOf(const Descriptor& blob) const {
  fs::path path = layout_ / "blobs/sha256" / blob.digest.Hex();
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) {
    throw Error(fmt::format("{} lacks the blob {}", layout_.string(), blob.digest.Oci()))
        .Found(error.message());
  }
  if (size != blob.size) {
    throw Error(ErrorKind::kVerification,
                fmt::format("the blob {} of {} is damaged", blob.digest.Oci(), layout_.string()))
        .Found(fmt::format("{} bytes", size))
        .Expected(fmt::format("{} bytes", blob.size));
  }
  return path;
}

}  // namespace imgbuild::layers
