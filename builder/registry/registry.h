// A client of one repository of a registry (OCI distribution-spec v1.1): single requests with
// login, retries and errors that say what the registry said. What is made of them is
// blob_upload.h, push.h and registry_origin.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/net/http_client.h"
#include "builder/registry/authenticator.h"
#include "builder/registry/endpoint.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

// Which rights a token is asked for.
enum class Access { kPull, kPush, kDelete };

struct RegistryRequest {
  std::string method = "GET";
  std::string path;  // below the repository: "/manifests/latest"; or a whole URL, see Location()
  std::vector<HttpHeader> headers;
  std::optional<ByteRange> range;
  layers::Sink* body = nullptr;
  std::uint64_t max_body = HttpRequest().max_body;
  std::function<void()> restart;
  std::function<void(const HttpResponse&)> head;
  std::function<void(std::uint64_t)> progress;
  std::optional<HttpUpload> upload;
  int max_tries = 0;  // by the client, of the requests for tokens on its way, too; 0: its own
  std::uint64_t patience_s = 0;
  std::string mount_from;  // another repository of the registry that it reads, too
};

// What the machine says of a server, "storage.example:9000", that a registry sends requests on to.
using ServerSettings = std::function<Endpoint(std::string_view server)>;

class Registry {
 public:
  // Borrows the client. Makes no request yet. Without `others`, nothing is said of any server.
  Registry(HttpClient& http, Endpoint endpoint, Credentials credentials, Access access,
           ServerSettings others = nullptr);

  const Endpoint& endpoint() const { return endpoint_; }
  // "registry.example/team/app", for messages.
  std::string Name() const;

  // Grows with every answer of the host, other than that it cannot now (IsTransientStatus).
  std::uint64_t answers() const { return answers_; }

  // The answer of any status, after logging in where the registry asks for it, and after going on
  // where the request is sent on. Credentials and the client's certificate stay with the
  // registry's own host and scheme; its CAs, and whether certificates are checked, with those and
  // what it vouches for (Authenticator::Vouches). Other servers are reached as the machine says of
  // them. Throws Error where there is no answer; AccessRefused where there is no access, or a read
  // would leave TLS for a server that is not `insecure`; what Location() throws for all else.
  HttpResponse Send(RegistryRequest request);

  // Before a request that failed for `reason` is sent again (HttpClient::Wait).
  void Wait(std::uint64_t milliseconds, std::string_view reason);

  // GET /v2/: whether the registry lets us in at all ("Determining Support").
  HttpResponse Ping();

  // The URL that an answer's Location means. Throws Error where MayGoTo says no.
  std::string Location(const HttpResponse& response);

  // Whether uploads may go there: to the registry itself, or to a host that it named when it asked
  // for a login (Authenticator::Vouches).
  bool MayGoTo(const std::string& url);

  // An Error that says what was wanted ("cannot put the manifest"), the status and the registry's
  // own words (distribution-spec, "Error Codes").
  specs::Error Failure(std::string_view what, const HttpResponse& response) const;

 private:
  std::string Base();
  std::string Scope(const std::string& mount_from) const;
  HttpResponse SendTo(const std::string& url, const HttpRequest& request, const std::string& scope);
  std::optional<std::string> Next(const std::string& method, const HttpResponse& response);
  Endpoint SettingsOf(std::string_view server) const;
  std::shared_ptr<const HttpTls> TlsFor(const std::string& url);
  bool Answers(const std::string& url, const std::shared_ptr<const HttpTls>& tls);

  HttpClient& http_;
  const Endpoint endpoint_;
  const Credentials credentials_;
  const Access access_;
  const ServerSettings others_;
  std::atomic<std::uint64_t> answers_ = 0;

  std::mutex mutex_;  // of what follows, until it is known
  std::string base_;  // scheme and host
  std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace imgbuild::builder
