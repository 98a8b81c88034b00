// PEP 658, 714, 643: gets the core metadata of one file of an index with as few bytes as it can.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "builder/net/http_client.h"
#include "builder/pypi/index_config.h"
#include "builder/pypi/page_cache.h"
#include "builder/pypi/simple_page.h"
#include "layers/io/executor.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// What is wrong with a file that the index did send, as a clause: "is damaged: ...".
struct UnreadableFile {
  std::string clause;
};

// The header fields of METADATA or PKG-INFO (the description is left out), or why they cannot be
// had; an Error is a failed transfer or a wrong hash.
using MetadataResult = std::variant<std::string, UnreadableFile, specs::Error>;

// A file of a page with what is needed beyond the page's lifetime.
struct RemoteFile {
  std::string filename;
  std::string url;
  const IndexConfig* index = nullptr;  // its headers go along where the origin is the same
  MetadataOffer core_metadata = MetadataOffer::kAbsent;
  std::optional<specs::Sha256> core_metadata_sha256;
  std::optional<specs::Sha256> sha256;
};

RemoteFile MakeRemoteFile(const SimpleFile& file, const IndexConfig& index);

// For a wheel: the cache; else METADATA beside it where the index offers it (its hash checked);
// else the end of the wheel in one suffix range, which a second range completes where the central
// directory or METADATA lies before it; a server that knows no ranges sends all of it, which serves
// as well, up to a bound. For an sdist: PKG-INFO out of the whole archive, whose hash is checked.
class MetadataClient {
 public:
  // `cache_folder` "": nothing is kept. References are borrowed; `executor` must run its tasks.
  MetadataClient(HttpClient& http, layers::Executor& executor, std::filesystem::path cache_folder,
                 Connectivity connectivity);

  // `done` is called once, on the executor. The client must outlive the call.
  void Request(RemoteFile file, std::function<void(MetadataResult)> done);

  // Bytes of the first request at a wheel's end.
  static constexpr std::uint64_t kTail = 64 << 10;
  static constexpr std::uint64_t kMaxMetadata = 16u << 20;
  static constexpr std::uint64_t kMaxArchive = 1ull << 30;

 private:
  struct Fetch;
  using Handler = void (MetadataClient::*)(std::shared_ptr<Fetch>, HttpResponse);

  void Begin(std::shared_ptr<Fetch> fetch);
  void Send(std::shared_ptr<Fetch> fetch, HttpRequest request, Handler handler);
  void AskBeside(std::shared_ptr<Fetch> fetch);
  void GotBeside(std::shared_ptr<Fetch> fetch, HttpResponse response);
  void AskTail(std::shared_ptr<Fetch> fetch);
  void GotTail(std::shared_ptr<Fetch> fetch, HttpResponse response);
  void AskFrom(std::shared_ptr<Fetch> fetch, std::uint64_t first);
  void AskEntry(std::shared_ptr<Fetch> fetch);
  void GotEntry(std::shared_ptr<Fetch> fetch, HttpResponse response);
  void AskWhole(std::shared_ptr<Fetch> fetch);
  void GotWhole(std::shared_ptr<Fetch> fetch, HttpResponse response);
  void ReadTail(std::shared_ptr<Fetch> fetch, std::string_view tail, std::uint64_t file_size);
  void ReadSdist(std::shared_ptr<Fetch> fetch, std::string_view bytes);
  void Finish(Fetch& fetch, std::string metadata);

  HttpClient& http_;
  layers::Executor& executor_;
  MetadataCache cache_;
  Connectivity connectivity_;
};

// METADATA of a wheel that is at hand. Of a file only the parts that it takes are read.
std::variant<std::string, UnreadableFile> ReadWheelMetadata(std::string_view filename,
                                                            std::string_view bytes);
std::variant<std::string, UnreadableFile> ReadWheelFileMetadata(std::string_view filename,
                                                                const std::filesystem::path& file);

}  // namespace imgbuild::builder
