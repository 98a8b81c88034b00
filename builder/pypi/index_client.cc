#include "builder/pypi/index_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/pypi/simple_html.h"
#include "builder/pypi/simple_json.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kAccept =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01";
constexpr std::uint64_t kMaxPageBytes = 256ull << 20;

std::string PageUrl(const IndexConfig& index, const std::string& project) {
  std::string url = index.url;
  if (!url.ends_with('/')) url += '/';
  return url + project + "/";
}

std::optional<std::int64_t> MaxAge(std::string_view cache_control) {
  for (std::string_view part : specs::Split(cache_control, ',')) {
    std::string directive = specs::ToLower(specs::Trim(part));
    if (directive == "no-store" || directive == "no-cache") return 0;
    if (!directive.starts_with("max-age=")) continue;
    std::optional<std::uint64_t> age = specs::ParseUnsigned(std::string_view(directive).substr(8));
    if (age) return static_cast<std::int64_t>(std::min<std::uint64_t>(*age, 31'536'000));
  }
  return std::nullopt;
}

std::string Base64(std::string_view text) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::size_t left = std::min<std::size_t>(3, text.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < left ? static_cast<unsigned char>(text[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      encoded += k <= left ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return encoded;
}

}  // namespace

// One project's way through the indexes that may have it.
struct IndexClient::Search {
  std::string project;
  std::vector<const IndexConfig*> indexes;
  std::size_t at = 0;
  std::optional<CachedPage> stale;  // of the current index
  bool trusted_a_lack = false;      // an index was passed over without being asked
  bool ask_again = false;
  std::function<void(PageResult)> done;

  const IndexConfig& index() const { return *indexes[at]; }
};

IndexClient::IndexClient(HttpClient& http, layers::Executor& executor,
                         std::vector<IndexConfig> indexes, IndexClientOptions options)
    : http_(http),
      executor_(executor),
      indexes_(std::move(indexes)),
      options_(std::move(options)),
      cache_(options_.cache_folder.empty() ? std::filesystem::path()
                                           : options_.cache_folder / "pages") {}

std::vector<const IndexConfig*> IndexClient::IndexesFor(const std::string& project) const {
  std::vector<const IndexConfig*> all;
  for (const IndexConfig& index : indexes_) {
    const std::vector<std::string>& pinned = index.packages;
    if (std::find(pinned.begin(), pinned.end(), project) != pinned.end()) return {&index};
    all.push_back(&index);
  }
  return all;
}

void IndexClient::Request(const std::string& project, std::function<void(PageResult)> done) {
  auto search = std::make_shared<Search>();
  search->project = project;
  search->indexes = IndexesFor(project);
  search->done = std::move(done);
  executor_.Start([this, search] { Step(search); });
}

bool IndexClient::IsFresh(const Search& search) const {
  return options_.freshness == Freshness::kWithinLifetime && !search.ask_again &&
         search.stale->fetched <= options_.now && options_.now < search.stale->fresh_until;
}

// From the cache where that will do, else over the network.
void IndexClient::Step(std::shared_ptr<Search> search) {
  const bool offline = options_.connectivity == Connectivity::kOffline;
  for (; search->at < search->indexes.size(); ++search->at) {
    search->stale = cache_.Load(search->index().url, search->project);
    if (!search->stale || (!offline && !IsFresh(*search))) break;
    if (search->stale->page) {
      search->done(FoundPage{&search->index(), std::move(*search->stale->page)});
      return;
    }
    search->trusted_a_lack = true;
  }
  if (search->at == search->indexes.size() && search->trusted_a_lack && !offline) {
    search->at = 0;
    search->trusted_a_lack = false;
    search->ask_again = true;
    return Step(std::move(search));
  }
  if (search->at == search->indexes.size()) {
    NoSuchProject missing;
    for (const IndexConfig* index : search->indexes) missing.asked.push_back(index->name);
    search->done(std::move(missing));
  } else if (offline) {
    search->done(specs::Error(fmt::format("the page of \"{}\" on index \"{}\" is not in the cache",
                                          search->project, search->index().name))
                     .Hint("run once without --offline"));
  } else {
    Ask(std::move(search));
  }
}

void IndexClient::Ask(std::shared_ptr<Search> search) {
  HttpRequest request;
  request.url = PageUrl(search->index(), search->project);
  request.headers = search->index().headers;
  request.headers.push_back({"Accept", std::string(kAccept)});
  request.max_body = kMaxPageBytes;
  if (search->stale && !search->stale->etag.empty()) {
    request.headers.push_back({"If-None-Match", search->stale->etag});
  } else if (search->stale && !search->stale->last_modified.empty()) {
    request.headers.push_back({"If-Modified-Since", search->stale->last_modified});
  }
  http_.Start(std::move(request), [this, search](HttpResult result) {
    auto kept = std::make_shared<HttpResult>(std::move(result));
    executor_.Start([this, search, kept] { Answered(search, std::move(*kept)); });
  });
}

void IndexClient::Unreachable(Search& search, specs::Error error) {
  search.done(std::move(error).In(
      fmt::format("while asking {} for \"{}\"", search.index().Shown(), search.project)));
}

specs::Error IndexClient::StatusError(const Search& search, int status) const {
  specs::Error error(
      fmt::format("{} answered {} for \"{}\"", search.index().Shown(), status, search.project));
  if (status >= 500) return std::move(error).Hint("try again later, or name another index");
  if (status != 401 && status != 403) return error;
  return std::move(error).Hint(
      "check its user name and password: in its URL's setting, in IMGBUILD_INDEX_<NAME>_USERNAME "
      "and _PASSWORD, or in netrc");
}

void IndexClient::Keep(const Search& search, const CachedPage& page) const {
  cache_.Store(search.index().url, search.project, page);
}

CachedPage IndexClient::Understand(const HttpResponse& response) const {
  CachedPage page;
  page.fetched = options_.now;
  std::optional<std::int64_t> age = MaxAge(response.Header("Cache-Control"));
  page.fresh_until = options_.now + age.value_or(options_.page_lifetime);
  page.etag = response.Header("ETag");
  page.last_modified = response.Header("Last-Modified");
  if (response.status != 200) return page;
  std::string_view type = response.Header("Content-Type");
  std::string media = specs::ToLower(specs::Trim(type.substr(0, type.find(';'))));
  if (media == "application/vnd.pypi.simple.v1+json" || media == "application/json") {
    page.page = ParseSimpleJson(response.body, response.url);
  } else if (media == "application/vnd.pypi.simple.v1+html" || media == "text/html" ||
             media == "application/xhtml+xml") {
    page.page = ParseSimpleHtml(response.body, response.url);
  } else {
    throw specs::Error("the answer is no simple index page")
        .Found(media.empty() ? "no Content-Type" : media)
        .Expected("application/vnd.pypi.simple.v1+json or text/html")
        .Hint("the index URL must be that of its simple API, often ending in /simple/");
  }
  return page;
}

void IndexClient::Answered(std::shared_ptr<Search> search, HttpResult result) {
  try {
    if (auto* error = std::get_if<specs::Error>(&result)) {
      return Unreachable(*search, std::move(*error));
    }
    HttpResponse& response = std::get<HttpResponse>(result);
    if (response.url.empty()) response.url = PageUrl(search->index(), search->project);
    if (response.status == 304 && search->stale) {
      CachedPage revalidated = Understand(response);
      revalidated.page = std::move(search->stale->page);
      if (revalidated.etag.empty()) revalidated.etag = search->stale->etag;
      if (revalidated.last_modified.empty()) {
        revalidated.last_modified = search->stale->last_modified;
      }
      Keep(*search, revalidated);
      search->stale = std::move(revalidated);
    } else if (response.status == 200 || response.status == 404 || response.status == 410) {
      search->stale = Understand(response);
      Keep(*search, *search->stale);
    } else {
      return search->done(StatusError(*search, response.status));
    }
  } catch (specs::Error& error) {
    return Unreachable(*search, std::move(error));
  }
  if (search->stale->page) {
    search->done(FoundPage{&search->index(), std::move(*search->stale->page)});
  } else {
    ++search->at;
    Step(std::move(search));
  }
}

std::vector<HttpHeader> IndexConfig::HeadersFor(std::string_view file_url) const {
  return specs::SameOrigin(file_url, url) ? headers : std::vector<HttpHeader>();
}

std::string IndexConfig::Shown() const {
  return fmt::format("index \"{}\"{}", name, origin.empty() ? "" : " (" + origin + ")");
}

IndexConfig MakeIndex(std::string name, std::string_view url) {
  IndexConfig index;
  index.name = std::move(name);
  index.url = url;
  std::size_t authority = url.find("://");
  if (authority == std::string_view::npos) return index;
  authority += 3;
  std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < authority) return index;
  std::string_view user = url.substr(authority, at - authority);
  std::size_t colon = user.find(':');
  std::string plain = specs::PercentDecode(user.substr(0, colon)) + ":";
  if (colon != std::string_view::npos) plain += specs::PercentDecode(user.substr(colon + 1));
  index.url = std::string(url.substr(0, authority)) + std::string(url.substr(at + 1));
  index.headers.push_back({"Authorization", "Basic " + Base64(plain)});
  return index;
}

}  // namespace imgbuild::builder
