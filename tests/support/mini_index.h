// A small honest package index (PEP 503, 658, 691, 700) for tests: projects with real wheels,
// served through a fake HttpClient or, with the same answers, by a LoopbackServer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "builder/net/http_client.h"
#include "tests/support/loopback_server.h"

namespace imgbuild::support {

// A zip with stored entries in the given order, as PKZIP would read it.
std::string MakeZip(const std::vector<std::pair<std::string, std::string>>& entries);

struct MiniFile {
  std::string filename;
  std::string content;
  std::string requires_python;
  std::optional<std::string> yanked;    // the reason
  std::string upload_time;              // RFC 3339; "": not said
  std::optional<std::string> metadata;  // served beside the file
};

// What goes into METADATA.
struct MiniMetadata {
  std::vector<std::string> requires_dist;
  std::vector<std::string> provides_extra;
  std::string requires_python;
};

class MiniIndex {
 public:
  enum class Form { kJson, kHtml };

  // A wheel of one METADATA, with `tags` such as "py3-none-any".
  MiniFile& AddWheel(const std::string& name, const std::string& version,
                     const MiniMetadata& metadata = {}, const std::string& tags = "py3-none-any");
  // An sdist whose PKG-INFO has that Metadata-Version.
  MiniFile& AddSdist(const std::string& name, const std::string& version,
                     const MiniMetadata& metadata = {},
                     const std::string& metadata_version = "2.2");
  MiniFile& AddFile(const std::string& project, MiniFile file);

  Form form = Form::kJson;
  std::map<std::string, std::string> page_headers;  // "cache-control", "etag"
  std::string expected_authorization;               // "": anyone may come in
  std::string files_url = "../../files/";           // where pages say that files are
  bool says_sizes = true;                           // in JSON
  enum class Ranges { kHonoured, kIgnored } ranges = Ranges::kHonoured;

  // /simple/NAME/, /files/FILENAME, /files/FILENAME.metadata; 301 for a missing slash.
  ServedResponse Answer(const ServedRequest& request) const;

 private:
  ServedResponse Page(const std::string& project) const;
  std::string Json(const std::string& project) const;
  std::string Html(const std::string& project) const;

  std::map<std::string, std::deque<MiniFile>> projects_;
};

// Answers from a handler, on a thread of its own, and records what was asked.
class FakeHttpClient : public builder::HttpClient {
 public:
  explicit FakeHttpClient(LoopbackServer::Handler handler);
  ~FakeHttpClient() override;

  void Start(builder::HttpRequest request, std::function<void(builder::HttpResult)> done) override;

  // Paths in order, each with " bytes=..." where a range was asked for.
  std::vector<std::string> Asked() const;
  std::vector<ServedRequest> Requests() const;

 private:
  struct Work {
    builder::HttpRequest request;
    std::function<void(builder::HttpResult)> done;
  };
  void Loop();
  builder::HttpResult Run(const builder::HttpRequest& request);

  LoopbackServer::Handler handler_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;
  std::vector<ServedRequest> requests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace imgbuild::support
