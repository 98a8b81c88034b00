#include "builder/debian/packages_source.h"

#include <fmt/format.h>

#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::uint64_t kLargestPackages = 1ull << 30;

// gzip first: it unpacks in less than half of xz's time and is hardly longer to fetch.
constexpr std::array<std::string_view, 3> kSuffixes = {".gz", ".xz", ""};

// The path below the suite's folder without compression suffix.
std::string PlainPath(const PackagesRequest& request) {
  return fmt::format("{}/binary-{}/Packages", request.component,
                     specs::ArchitectureName(request.architecture));
}

std::string Described(const PackagesRequest& request) {
  return fmt::format("{} ({})", LogicalSource(request.suite.part.name, request.component),
                     specs::ArchitectureName(request.architecture));
}

const ReleaseEntry* EntryAt(const PackagesRequest& request, std::string_view path) {
  auto found = request.release.packages.find(path);
  return found == request.release.packages.end() ? nullptr : &found->second;
}

// What the table is made from: the plain file, or a compressed one where only that is listed.
const ReleaseEntry& Identity(const PackagesRequest& request) {
  std::string path = PlainPath(request);
  for (std::string_view suffix : {"", ".xz", ".gz"}) {
    if (const ReleaseEntry* entry = EntryAt(request, path + std::string(suffix))) return *entry;
  }
  throw Error(ErrorKind::kUnresolvable,
              fmt::format("the suite {} has no packages of {} for {}", request.suite.part.name,
                          request.component, specs::ArchitectureName(request.architecture)))
      .Found(fmt::format("components {}; architectures {}",
                         specs::Join(request.release.components, " "),
                         specs::Join(request.release.architectures, " ")))
      .Expected(path);
}

class Fetcher {
 public:
  Fetcher(const PackagesRequest& request, HttpClient& client, Progress& progress)
      : request_(request), client_(client), progress_(progress) {}

  // The plain Packages text.
  std::string Fetch() {
    for (std::string_view suffix : kSuffixes) {
      std::string path = PlainPath(request_) + std::string(suffix);
      const ReleaseEntry* entry = EntryAt(request_, path);
      if (entry == nullptr) continue;
      if (std::optional<std::string> body = FetchVariant(path, *entry)) return Unpack(*body);
    }
    if (wrong_) throw std::move(*wrong_);
    throw Error(ErrorKind::kUnresolvable,
                fmt::format("the mirror lacks the package list of {}", Described(request_)))
        .Found(specs::Join(tried_, "; "))
        .Expected(PlainPath(request_) + ".gz or .xz")
        .Hint(fmt::format("the mirror comes from {}: it may be in the middle of an update, try "
                          "again in a few minutes or name another",
                          request_.suite.mirror.origin));
  }

 private:
  // nullopt where the mirror has it at none of its addresses, or has something else there.
  std::optional<std::string> FetchVariant(const std::string& path, const ReleaseEntry& entry) {
    if (entry.size > kLargestPackages) {
      throw Error(ErrorKind::kVerification,
                  fmt::format("the package list of {} is too large", Described(request_)))
          .Found(specs::HumanBytes(entry.size))
          .Expected("at most " + specs::HumanBytes(kLargestPackages));
    }
    std::vector<std::string> addresses;
    if (request_.release.acquire_by_hash) {
      addresses.push_back(
          fmt::format("{}/by-hash/SHA256/{}", path.substr(0, path.rfind('/')), entry.sha256.Hex()));
    }
    addresses.push_back(path);
    for (const std::string& address : addresses) {
      std::string url = fmt::format("{}/{}", request_.suite.url(), address);
      HttpResponse response = Ask(url, entry.size);
      if (response.status != 200) {
        tried_.push_back(fmt::format("HTTP {} for {}", response.status, RedactUrl(url)));
        continue;
      }
      if (Matches(response.body, entry, url)) return std::move(response.body);
    }
    return std::nullopt;
  }

  HttpResponse Ask(const std::string& url, std::uint64_t size) {
    std::unique_ptr<ProgressTask> task = progress_.Begin(
        fmt::format("Fetching package list {}", Described(request_)), ProgressUnit::kBytes);
    task->SetTotal(size);
    HttpRequest request;
    request.url = url;
    request.max_body = size + 1;  // one more shows that it is too long
    std::uint64_t shown = 0;
    request.progress = [&](std::uint64_t received) {
      if (received > shown) task->Advance(received - std::exchange(shown, received));
    };
    HttpResponse response =
        specs::WithContext(fmt::format("while fetching {} (the mirror comes from {})",
                                       RedactUrl(url), request_.suite.mirror.origin),
                           [&] { return client_.Fetch(std::move(request)); });
    task->Finish(response.status == 200 ? specs::HumanBytes(response.body.size()) : "");
    return response;
  }

  bool Matches(std::string_view body, const ReleaseEntry& entry, std::string_view url) {
    if (body.size() == entry.size && specs::HashOf(body) == entry.sha256) return true;
    wrong_ = Error(ErrorKind::kVerification,
                   fmt::format("the package list of {} is not the one its Release file names",
                               Described(request_)))
                 .Found(fmt::format("{} bytes, SHA-256 {} at {}", body.size(),
                                    specs::HashOf(body).Hex(), RedactUrl(url)))
                 .Expected(fmt::format("{} bytes, SHA-256 {}", entry.size, entry.sha256.Hex()))
                 .Hint(fmt::format("the mirror comes from {}: it may be in the middle of an "
                                   "update, try again in a few minutes or name another",
                                   request_.suite.mirror.origin));
    return false;
  }

  std::string Unpack(std::string_view body) {
    const ReleaseEntry* plain = EntryAt(request_, PlainPath(request_));
    std::uint64_t bound = plain != nullptr ? plain->size : kLargestPackages;
    layers::MemorySource packed(body);
    std::unique_ptr<layers::Source> unpacked = layers::Decompressed(packed);
    layers::BoundedSource bounded(*unpacked, std::min(bound, kLargestPackages),
                                  "the package list of " + Described(request_));
    std::string text(plain != nullptr ? std::min(bound, kLargestPackages) : body.size() * 6, '\0');
    std::size_t size = 0;
    while (true) {
      if (size == text.size()) text.resize(text.size() + (1 << 20));
      std::size_t count = bounded.Read(std::as_writable_bytes(std::span(text)).subspan(size));
      if (count == 0) break;
      size += count;
    }
    text.resize(size);
    if (plain != nullptr && specs::HashOf(text) != plain->sha256) {
      throw Error(
          ErrorKind::kVerification,
          fmt::format("the unpacked package list of {} has the wrong SHA-256", Described(request_)))
          .Found(specs::HashOf(text).Hex())
          .Expected(plain->sha256.Hex());
    }
    return text;
  }

  const PackagesRequest& request_;
  HttpClient& client_;
  Progress& progress_;
  std::vector<std::string> tried_;
  std::optional<Error> wrong_;
};

}  // namespace

std::shared_ptr<const PackageTable> LoadPackages(const PackagesRequest& request, HttpClient& client,
                                                 Progress& progress) {
  const specs::Sha256 key = PackageTableKey(Identity(request).sha256, request.architecture);
  const std::filesystem::path path =
      request.suite.folder /
      fmt::format("{}_{}.idx", request.component, specs::ArchitectureName(request.architecture));
  if (auto table = PackageTable::Map(path, key)) return table;
  if (request.network == NetworkUse::kOffline) {
    throw Error(fmt::format("the package list of {} is not in the cache", Described(request)))
        .Found("--offline")
        .Hint("run it once without --offline");
  }
  std::string text = Fetcher(request, client, progress).Fetch();
  std::string bytes = CompilePackages(text, request.architecture, Described(request), key);
  layers::WriteFileAtomically(path, bytes);
  text = std::string();
  if (auto table = PackageTable::Map(path, key)) return table;
  // Another process replaced it by one of another Release in between.
  return PackageTable::FromBytes(std::move(bytes), key);
}

}  // namespace imgbuild::builder
