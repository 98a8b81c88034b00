#include "builder/pypi/metadata_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/pypi/zip_directory.h"
#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "specs/base/text.h"
#include "specs/python/name.h"

namespace imgbuild::builder {
namespace {

// Whether `name` is the METADATA of the wheel `filename`: "numpy-2.1.0.dist-info/METADATA". The
// version's spelling may differ, the project's may not.
bool IsMetadataOf(std::string_view name, std::string_view filename) {
  constexpr std::string_view kEnd = ".dist-info/METADATA";
  if (!name.ends_with(kEnd)) return false;
  name.remove_suffix(kEnd.size());
  if (name.find('/') != std::string_view::npos) return false;
  std::string_view project = name.substr(0, name.find('-'));
  std::string_view expected = filename.substr(0, filename.find('-'));
  return specs::NormalizeName(project) == specs::NormalizeName(expected);
}

// "bytes 100-199/200" -> {100, 200}.
std::optional<std::pair<std::uint64_t, std::uint64_t>> ParseContentRange(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  std::size_t dash = text.find('-');
  std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return std::nullopt;
  auto first = specs::ParseUnsigned(specs::Trim(text.substr(0, dash)));
  auto total = specs::ParseUnsigned(specs::Trim(text.substr(slash + 1)));
  if (!first || !total || *first > *total) return std::nullopt;
  return std::pair(*first, *total);
}

// Header fields only: the description after the first empty line is of no use here.
std::string HeadersOf(std::string metadata) {
  std::size_t end = std::min(metadata.find("\n\n"), metadata.find("\r\n\r\n"));
  if (end != std::string::npos) metadata.resize(std::min(end + 2, metadata.size()));
  return metadata;
}

// Thrown within this file: the bytes came, but are not what they should be.
struct Damaged {
  std::string what;
};

void ThrowIfDamaged(const auto& result) {
  if (auto* damage = std::get_if<ZipDamage>(&result)) throw Damaged{damage->what};
}

// `part(offset, size)` gives bytes of the file, less where it ends before. Throws Damaged.
std::string MetadataOf(std::string_view filename, std::uint64_t file_size, const auto& part) {
  // The end record is at the very end but for a comment, and zip64's records lie before it.
  constexpr std::uint64_t kEnd = (64 << 10) + 1024;
  const std::uint64_t end = std::min(file_size, kEnd);
  auto located = LocateZipDirectory(part(file_size - end, end), file_size);
  ThrowIfDamaged(located);
  auto place = std::get<ZipDirectoryPlace>(located);
  auto found = FindZipEntry(part(place.offset, place.size), IsMetadataOf, filename);
  ThrowIfDamaged(found);
  const auto& entry = std::get<std::optional<ZipEntry>>(found);
  if (!entry) throw Damaged{"it has no METADATA of its name"};
  if (entry->local_offset > file_size) throw Damaged{"METADATA lies outside the file"};
  if (entry->compressed_size > MetadataClient::kMaxMetadata) {
    throw Damaged{"METADATA is too large"};
  }
  auto content = ReadZipEntry(*entry, part(entry->local_offset, ZipEntryReach(*entry)),
                              MetadataClient::kMaxMetadata);
  ThrowIfDamaged(content);
  return HeadersOf(std::move(std::get<std::string>(content)));
}

// Throws Damaged.
std::string MetadataOf(std::string_view filename, std::string_view bytes) {
  return MetadataOf(filename, bytes.size(), [&](std::uint64_t offset, std::uint64_t size) {
    return bytes.substr(offset, size);
  });
}

// The one at the root of an sdist's top folder.
std::optional<std::string> FindPkgInfo(std::string_view bytes) {
  layers::ArchiveReader archive(bytes, layers::ArchiveFormat::kAny);
  while (std::optional<layers::ArchiveEntry> entry = archive.Next()) {
    std::string_view path = entry->path;
    if (path.starts_with("./")) path.remove_prefix(2);
    std::size_t slash = path.find('/');
    if (slash == std::string_view::npos || path.substr(slash + 1) != "PKG-INFO") continue;
    if (entry->type != layers::ArchiveType::kFile) continue;
    if (entry->size.value_or(0) > MetadataClient::kMaxMetadata) return std::nullopt;
    return layers::ReadAll(archive.Data());
  }
  return std::nullopt;
}

}  // namespace

struct MetadataClient::Fetch {
  RemoteFile file;
  std::function<void(MetadataResult)> done;
  bool asked_directory = false;   // the second range, which begins at the central directory
  std::optional<ZipEntry> entry;  // METADATA's place, once the directory was read
};

RemoteFile MakeRemoteFile(const SimpleFile& file, const IndexConfig& index) {
  return {.filename = std::string(file.filename),
          .url = file.url,
          .index = &index,
          .core_metadata = file.core_metadata,
          .core_metadata_sha256 = file.core_metadata_sha256,
          .sha256 = file.sha256};
}

MetadataClient::MetadataClient(HttpClient& http, layers::Executor& executor,
                               std::filesystem::path cache_folder, Connectivity connectivity)
    : http_(http),
      executor_(executor),
      cache_(cache_folder.empty() ? std::filesystem::path() : cache_folder / "metadata"),
      connectivity_(connectivity) {}

void MetadataClient::Request(RemoteFile file, std::function<void(MetadataResult)> done) {
  auto fetch = std::make_shared<Fetch>();
  fetch->file = std::move(file);
  fetch->done = std::move(done);
  executor_.Start([this, fetch] { Begin(fetch); });
}

void MetadataClient::Begin(std::shared_ptr<Fetch> fetch) {
  if (fetch->file.sha256) {
    if (std::optional<std::string> cached = cache_.Load(*fetch->file.sha256)) {
      return fetch->done(std::move(*cached));
    }
  }
  if (connectivity_ == Connectivity::kOffline) {
    return fetch->done(
        specs::Error(fmt::format("the metadata of {} is not in the cache", fetch->file.filename))
            .Hint("run once without --offline"));
  }
  if (!fetch->file.filename.ends_with(".whl")) {
    AskWhole(std::move(fetch));
  } else if (fetch->file.core_metadata == MetadataOffer::kOffered) {
    AskBeside(std::move(fetch));
  } else {
    AskTail(std::move(fetch));
  }
}

void MetadataClient::Send(std::shared_ptr<Fetch> fetch, HttpRequest request, Handler handler) {
  request.headers = fetch->file.index->HeadersFor(request.url);
  http_.Start(std::move(request), [this, fetch, handler](HttpResult result) {
    auto kept = std::make_shared<HttpResult>(std::move(result));
    executor_.Start([this, fetch, handler, kept] {
      try {
        if (auto* error = std::get_if<specs::Error>(kept.get())) throw std::move(*error);
        (this->*handler)(fetch, std::move(std::get<HttpResponse>(*kept)));
      } catch (const Damaged& damage) {
        fetch->done(UnreadableFile{"is damaged: " + damage.what});
      } catch (specs::Error& error) {
        error.In(fmt::format("while reading the metadata of {} from {}", fetch->file.filename,
                             fetch->file.index->Shown()));
        fetch->done(std::move(error));
      }
    });
  });
}

void MetadataClient::AskBeside(std::shared_ptr<Fetch> fetch) {
  HttpRequest request;
  request.url = fetch->file.url + ".metadata";
  request.max_body = kMaxMetadata;
  Send(std::move(fetch), std::move(request), &MetadataClient::GotBeside);
}

void MetadataClient::GotBeside(std::shared_ptr<Fetch> fetch, HttpResponse response) {
  // Some indexes announce what they then do not have; the wheel itself has it always.
  if (response.status != 200) return AskTail(std::move(fetch));
  const std::optional<specs::Sha256>& expected = fetch->file.core_metadata_sha256;
  if (specs::Sha256 found = specs::HashOf(response.body); expected && found != *expected) {
    throw specs::Error(specs::ErrorKind::kVerification,
                       fetch->file.filename + ".metadata has the wrong SHA-256")
        .Found(found.Hex())
        .Expected(expected->Hex());
  }
  Finish(*fetch, std::move(response.body));
}

void MetadataClient::AskTail(std::shared_ptr<Fetch> fetch) {
  HttpRequest request;
  request.url = fetch->file.url;
  request.range = ByteRange{.first = kTail, .suffix = true};
  request.max_body = kMaxArchive;
  Send(std::move(fetch), std::move(request), &MetadataClient::GotTail);
}

void MetadataClient::AskFrom(std::shared_ptr<Fetch> fetch, std::uint64_t first) {
  HttpRequest request;
  request.url = fetch->file.url;
  request.range = ByteRange{.first = first};
  request.max_body = kMaxArchive;
  fetch->asked_directory = true;
  Send(std::move(fetch), std::move(request), &MetadataClient::GotTail);
}

void MetadataClient::AskEntry(std::shared_ptr<Fetch> fetch) {
  HttpRequest request;
  request.url = fetch->file.url;
  std::uint64_t first = fetch->entry->local_offset;
  request.range = ByteRange{.first = first, .last = first + ZipEntryReach(*fetch->entry) - 1};
  request.max_body = kMaxArchive;
  Send(std::move(fetch), std::move(request), &MetadataClient::GotEntry);
}

void MetadataClient::GotEntry(std::shared_ptr<Fetch> fetch, HttpResponse response) {
  if (response.status != 206) return AskWhole(std::move(fetch));
  auto range = ParseContentRange(response.Header("Content-Range"));
  if (!range || range->first != fetch->entry->local_offset) return AskWhole(std::move(fetch));
  auto content = ReadZipEntry(*fetch->entry, response.body, kMaxMetadata);
  ThrowIfDamaged(content);
  Finish(*fetch, std::move(std::get<std::string>(content)));
}

void MetadataClient::AskWhole(std::shared_ptr<Fetch> fetch) {
  HttpRequest request;
  request.url = fetch->file.url;
  request.max_body = kMaxArchive;
  Send(std::move(fetch), std::move(request), &MetadataClient::GotWhole);
}

void MetadataClient::GotTail(std::shared_ptr<Fetch> fetch, HttpResponse response) {
  if (response.status == 206) {
    auto range = ParseContentRange(response.Header("Content-Range"));
    if (!range || range->second - range->first != response.body.size()) {
      return AskWhole(std::move(fetch));
    }
    return ReadTail(std::move(fetch), response.body, range->second);
  }
  // 416: shorter than the range. Others: this server's way of not knowing ranges.
  if (response.status != 200) return AskWhole(std::move(fetch));
  ReadTail(std::move(fetch), response.body, response.body.size());
}

void MetadataClient::GotWhole(std::shared_ptr<Fetch> fetch, HttpResponse response) {
  if (response.status != 200) {
    throw specs::Error(
        fmt::format("the server answered {} for {}", response.status, RedactUrl(fetch->file.url)));
  }
  if (fetch->file.sha256) {
    specs::Sha256 found = specs::HashOf(response.body);
    if (found != *fetch->file.sha256) {
      throw specs::Error(specs::ErrorKind::kVerification,
                         fetch->file.filename + " has the wrong SHA-256")
          .Found(found.Hex())
          .Expected(fetch->file.sha256->Hex());
    }
  }
  if (!fetch->file.filename.ends_with(".whl")) return ReadSdist(std::move(fetch), response.body);
  Finish(*fetch, MetadataOf(fetch->file.filename, response.body));
}

void MetadataClient::ReadTail(std::shared_ptr<Fetch> fetch, std::string_view tail,
                              std::uint64_t file_size) {
  std::uint64_t tail_offset = file_size - tail.size();
  auto located = LocateZipDirectory(tail, file_size);
  ThrowIfDamaged(located);
  auto place = std::get<ZipDirectoryPlace>(located);
  if (place.offset < tail_offset) {
    if (fetch->asked_directory) {
      throw Damaged{"its central directory contradicts itself"};
    }
    return AskFrom(fetch, place.offset);
  }
  std::string_view directory = tail.substr(place.offset - tail_offset, place.size);
  auto found = FindZipEntry(directory, IsMetadataOf, fetch->file.filename);
  ThrowIfDamaged(found);
  const auto& entry = std::get<std::optional<ZipEntry>>(found);
  if (!entry) throw Damaged{"it has no METADATA of its name"};
  if (entry->local_offset > place.offset || entry->size > kMaxMetadata ||
      entry->compressed_size > kMaxMetadata) {
    throw Damaged{"METADATA lies outside the file or is too large"};
  }
  if (entry->local_offset < tail_offset) {
    fetch->entry = *entry;
    return AskEntry(std::move(fetch));
  }
  auto content = ReadZipEntry(*entry, tail.substr(entry->local_offset - tail_offset), kMaxMetadata);
  ThrowIfDamaged(content);
  Finish(*fetch, std::move(std::get<std::string>(content)));
}

void MetadataClient::ReadSdist(std::shared_ptr<Fetch> fetch, std::string_view bytes) {
  std::optional<std::string> metadata;
  try {
    metadata = FindPkgInfo(bytes);
  } catch (const specs::Error& error) {
    throw Damaged{error.message()};
  }
  if (!metadata) throw Damaged{"it has no PKG-INFO"};
  Finish(*fetch, std::move(*metadata));
}

void MetadataClient::Finish(Fetch& fetch, std::string metadata) {
  std::string headers = HeadersOf(std::move(metadata));
  if (fetch.file.sha256) cache_.Store(*fetch.file.sha256, headers);
  fetch.done(std::move(headers));
}

std::variant<std::string, UnreadableFile> ReadWheelMetadata(std::string_view filename,
                                                            std::string_view bytes) {
  try {
    return MetadataOf(filename, bytes);
  } catch (const Damaged& damage) {
    return UnreadableFile{"is damaged: " + damage.what};
  }
}

std::variant<std::string, UnreadableFile> ReadWheelFileMetadata(std::string_view filename,
                                                                const std::filesystem::path& file) {
  const std::uint64_t file_size = layers::FileSource(file).size();
  try {
    return MetadataOf(filename, file_size, [&](std::uint64_t offset, std::uint64_t size) {
      layers::FileSource part(file, offset, std::min(size, file_size - offset));
      return layers::ReadAll(part);
    });
  } catch (const Damaged& damage) {
    return UnreadableFile{"is damaged: " + damage.what};
  }
}

}  // namespace imgbuild::builder
