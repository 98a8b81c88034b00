#include "tests/support/mini_registry.h"

#include <fmt/format.h>

#include "specs/base/base64.h"
#include "specs/base/digest.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::support {
namespace {

ServedResponse Failure(int status, const std::string& code) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"errors":[{{"code":"{}","message":"no"}}]}})", code)};
}

std::string Header(const ServedRequest& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

std::string QueryValue(const std::string& query, const std::string& key) {
  for (std::string_view pair : specs::Split(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == key && equals != std::string_view::npos) {
      return specs::PercentDecode(pair.substr(equals + 1));
    }
  }
  return "";
}

std::string DigestOf(const std::string& bytes) { return specs::HashOf(bytes).Oci(); }

}  // namespace

MiniRegistry::MiniRegistry(Options options)
    : options_(std::move(options)),
      server_([this](const ServedRequest& request) { return Handle(request); },
              [this](const ServedRequest& request) {
                std::lock_guard lock(mutex_);
                return BodyReading{.stop_after = cut_ ? cut_(count_, request) : std::nullopt};
              }) {}

void MiniRegistry::AnswerBy(Answering answer) {
  std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void MiniRegistry::CutBodies(Cut cut) {
  std::lock_guard lock(mutex_);
  cut_ = std::move(cut);
}

std::map<std::string, std::string> MiniRegistry::blobs() const {
  std::lock_guard lock(mutex_);
  return blobs_;
}

std::map<std::string, std::string> MiniRegistry::manifests() const {
  std::lock_guard lock(mutex_);
  return manifests_;
}

std::map<std::string, std::string> MiniRegistry::tags() const {
  std::lock_guard lock(mutex_);
  return tags_;
}

void MiniRegistry::PutBlob(const std::string& repository, const std::string& bytes) {
  std::lock_guard lock(mutex_);
  PutBlobLocked(repository, bytes);
}

void MiniRegistry::PutBlobLocked(const std::string& repository, const std::string& bytes) {
  blobs_[repository + "@" + DigestOf(bytes)] = bytes;
}

void MiniRegistry::PutManifest(const std::string& repository, const std::string& tag,
                               const std::string& bytes, const std::string& media_type) {
  std::lock_guard lock(mutex_);
  manifests_[repository + "@" + DigestOf(bytes)] = bytes;
  media_types_[repository + "@" + DigestOf(bytes)] = media_type;
  tags_[repository + ":" + tag] = DigestOf(bytes);
}

ServedResponse MiniRegistry::Handle(const ServedRequest& request) {
  std::lock_guard lock(mutex_);
  const std::size_t number = count_++;
  if (answer_) {
    if (auto answer = answer_(number, request)) return *std::move(answer);
  }
  if (auto refused = Login(request)) return *std::move(refused);
  const std::size_t question = request.target.find('?');
  const std::string path = specs::PercentDecode(request.target.substr(0, question));
  const std::string query =
      question == std::string::npos ? "" : request.target.substr(question + 1);
  if (path == "/v2/") return {};
  auto split = [&](std::string_view part) {
    const std::size_t at = path.rfind(part);
    return at == std::string::npos || !path.starts_with("/v2/")
               ? std::pair<std::string, std::string>()
               : std::pair(path.substr(4, at - 4), path.substr(at + part.size()));
  };
  if (auto [repository, id] = split("/blobs/uploads/"); !repository.empty()) {
    return id.empty() ? Begin(repository, query) : Continue(request, id, query);
  }
  if (auto [repository, digest] = split("/blobs/"); !repository.empty()) {
    return Blob(request, repository, digest);
  }
  if (auto [repository, reference] = split("/manifests/"); !repository.empty()) {
    return Manifest(request, repository, reference);
  }
  if (path.ends_with("/tags/list")) return TagList(path.substr(4, path.size() - 4 - 10));
  return Failure(404, "NOT_FOUND");
}

std::optional<ServedResponse> MiniRegistry::Login(const ServedRequest& request) {
  const std::string basic = "Basic " + specs::Base64Encode(options_.user + ":" + options_.password);
  const std::string sent = Header(request, "authorization");
  if (options_.login == RegistryLogin::kNone) return std::nullopt;
  ServedResponse refused = Failure(401, "UNAUTHORIZED");
  if (options_.login == RegistryLogin::kBasic) {
    if (sent == basic) return std::nullopt;
    refused.headers["WWW-Authenticate"] = R"(Basic realm="mini")";
    return refused;
  }
  if (request.target.starts_with("/token")) {
    if (sent != basic) return Failure(401, "DENIED");
    const std::string forbidden = specs::PercentEncode(":" + options_.forbidden + ":");
    if (!options_.forbidden.empty() && request.target.find(forbidden) != std::string::npos) {
      return Failure(403, "DENIED");
    }
    token_used_ = 0;
    return ServedResponse{.body = fmt::format(R"({{"token":"t{}"}})", ++tokens_)};
  }
  const bool fresh = options_.token_uses == 0 || token_used_ < options_.token_uses;
  if (sent == fmt::format("Bearer t{}", tokens_) && fresh) {
    ++token_used_;
    return std::nullopt;
  }
  refused.headers["WWW-Authenticate"] =
      fmt::format(R"(Bearer realm="{}/token",service="mini")", server_.url());
  return refused;
}

ServedResponse MiniRegistry::Blob(const ServedRequest& request, const std::string& repository,
                                  const std::string& digest) {
  const auto found = blobs_.find(repository + "@" + digest);
  if (found == blobs_.end()) return Failure(404, "BLOB_UNKNOWN");
  return ServeBytes(request, found->second);
}

ServedResponse MiniRegistry::Begin(const std::string& repository, const std::string& query) {
  const std::string mount = QueryValue(query, "mount");
  const auto source = blobs_.find(QueryValue(query, "from") + "@" + mount);
  if (options_.mounts && !mount.empty() && source != blobs_.end()) {
    blobs_[repository + "@" + mount] = std::string(source->second);
    return {.status = 201, .headers = {{"Location", "/v2/" + repository + "/blobs/" + mount}}};
  }
  const std::string id = fmt::format("s{}", next_session_++);
  sessions_[id].repository = repository;
  ServedResponse response{
      .status = 202,
      .headers = {{"Location", fmt::format("/v2/{}/blobs/uploads/{}", repository, id)}}};
  if (options_.chunk_min > 0) {
    response.headers["OCI-Chunk-Min-Length"] = fmt::format("{}", options_.chunk_min);
  }
  if (options_.chunk_max > 0) {
    response.headers["OCI-Chunk-Max-Length"] = fmt::format("{}", options_.chunk_max);
  }
  return response;
}

ServedResponse MiniRegistry::Continue(const ServedRequest& request, const std::string& id,
                                      const std::string& query) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return Failure(404, "BLOB_UPLOAD_UNKNOWN");
  Session& session = found->second;
  auto standing = [&](int status) {
    const std::size_t told =
        options_.ranges_of_last_chunk ? session.last_chunk : session.bytes.size();
    const std::size_t last = told == 0 ? 0 : told - 1;
    return ServedResponse{
        .status = status,
        .headers = {{"Location", request.target.substr(0, request.target.find('?'))},
                    {"Range", fmt::format("0-{}", last)}}};
  };
  if (request.method == "GET") return standing(204);
  if (request.method == "DELETE") {
    sessions_.erase(found);
    return {.status = 204};
  }
  const std::size_t size = request.body.size();
  if (options_.chunk_max > 0 && size > options_.chunk_max) return Failure(413, "SIZE_INVALID");
  if (request.method == "PATCH" && size < options_.chunk_min && !request.cut) {
    return Failure(400, "SIZE_INVALID");
  }
  const std::string range = Header(request, "content-range");
  if (!range.empty() && !options_.ranges_of_last_chunk &&
      specs::ParseUnsigned(range.substr(0, range.find('-'))) != session.bytes.size()) {
    return standing(416);
  }
  session.bytes += request.body;
  session.last_chunk = size;
  if (request.cut) {
    if (!options_.keeps_cut_uploads) sessions_.erase(found);
    return {};
  }
  if (request.method == "PATCH") return standing(202);
  if (request.method != "PUT") return Failure(405, "UNSUPPORTED");
  const std::string digest = QueryValue(query, "digest");
  const Session ended = session;
  sessions_.erase(found);
  if (DigestOf(ended.bytes) != digest) return Failure(400, "DIGEST_INVALID");
  blobs_[ended.repository + "@" + digest] = ended.bytes;
  return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
}

ServedResponse MiniRegistry::Manifest(const ServedRequest& request, const std::string& repository,
                                      const std::string& reference) {
  const bool is_digest = reference.starts_with("sha256:");
  if (request.method == "PUT") {
    const std::string digest = DigestOf(request.body);
    if (is_digest && reference != digest) return Failure(400, "DIGEST_INVALID");
    manifests_[repository + "@" + digest] = request.body;
    media_types_[repository + "@" + digest] = Header(request, "content-type");
    if (!is_digest) tags_[repository + ":" + reference] = digest;
    return {.status = 201, .headers = {{"Docker-Content-Digest", digest}}};
  }
  const auto tag = tags_.find(repository + ":" + reference);
  const std::string digest = is_digest ? reference : tag == tags_.end() ? "" : tag->second;
  const auto found = manifests_.find(repository + "@" + digest);
  if (found == manifests_.end()) return Failure(404, "MANIFEST_UNKNOWN");
  if (request.method == "DELETE") {
    manifests_.erase(found);
    std::erase_if(tags_, [&](const auto& entry) { return entry.second == digest; });
    return {.status = 202};
  }
  return {.headers = {{"Docker-Content-Digest", digest},
                      {"Content-Type", media_types_[repository + "@" + digest]}},
          .body = found->second};
}

ServedResponse MiniRegistry::TagList(const std::string& repository) const {
  std::string names;
  for (const auto& [name, digest] : tags_) {
    if (!name.starts_with(repository + ":")) continue;
    if (!names.empty()) names += ',';
    names += '"' + name.substr(repository.size() + 1) + '"';
  }
  return {.headers = {{"Content-Type", "application/json"}},
          .body = fmt::format(R"({{"name":"{}","tags":[{}]}})", repository, names)};
}

}  // namespace imgbuild::support
