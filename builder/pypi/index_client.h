// PEP 503, 691: asks package indexes for projects.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "builder/net/http_client.h"
#include "builder/pypi/index_config.h"
#include "builder/pypi/page_cache.h"
#include "builder/pypi/simple_page.h"
#include "layers/io/executor.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// The page of the one index a project comes from.
struct FoundPage {
  const IndexConfig* index = nullptr;  // lives as long as the client
  SimplePage page;
};

// No index that may have the project has it.
struct NoSuchProject {
  std::vector<std::string> asked;  // names of the indexes, in order
};

using PageResult = std::variant<FoundPage, NoSuchProject, specs::Error>;

enum class Freshness { kWithinLifetime, kAskAgain };

struct IndexClientOptions {
  std::filesystem::path cache_folder;  // "" keeps nothing
  Connectivity connectivity = Connectivity::kOnline;
  std::int64_t now = 0;              // seconds since the epoch
  std::int64_t page_lifetime = 600;  // seconds that a page without Cache-Control stays fresh
  // kAskAgain: whatever the cache has, the index is asked, conditionally where that is possible.
  Freshness freshness = Freshness::kWithinLifetime;
};

// A project pinned to an index comes from that index only. Any other comes from the first index in
// order that has it, and all its files from there: a name on an internal index can never be
// overridden by the same name on a public one. An index that fails (anything but 404 and 410) ends
// the search with an error rather than passing it on.
//
// A page within its lifetime is taken from the cache without a question; an older one is asked for
// again, conditionally where the index gave validators; offline any age will do. That no index has
// a project is said by the indexes themselves, never by the cache alone: somebody may just have
// uploaded it.
class IndexClient {
 public:
  // `http` and `executor` are borrowed. Pages are parsed on `executor`, which must be a
  // ThreadExecutor or like it: one that runs what it is given.
  IndexClient(HttpClient& http, layers::Executor& executor, std::vector<IndexConfig> indexes,
              IndexClientOptions options);

  // `project` is normalised (PEP 503). `done` is called once, on the executor. The client must
  // outlive the call.
  void Request(const std::string& project, std::function<void(PageResult)> done);

  const std::vector<IndexConfig>& indexes() const { return indexes_; }

 private:
  struct Search;

  std::vector<const IndexConfig*> IndexesFor(const std::string& project) const;
  bool IsFresh(const Search& search) const;
  void Step(std::shared_ptr<Search> search);
  void Ask(std::shared_ptr<Search> search);
  void Answered(std::shared_ptr<Search> search, HttpResult result);
  void Unreachable(Search& search, specs::Error error);
  CachedPage Understand(const HttpResponse& response) const;
  void Keep(const Search& search, const CachedPage& page) const;
  specs::Error StatusError(const Search& search, int status) const;

  HttpClient& http_;
  layers::Executor& executor_;
  std::vector<IndexConfig> indexes_;
  IndexClientOptions options_;
  PageCache cache_;
};

// An index whose URL may carry "user:password@", which become a header (RFC 7617).
IndexConfig MakeIndex(std::string name, std::string_view url);

}  // namespace imgbuild::builder
