// A client of one repository of a registry (OCI distribution-spec v1.1): single requests with
// login, retries and errors that say what the registry said. What is made of them is upload.h,
// push.h and pull.h.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
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
  int max_tries = 0;
  std::uint64_t patience_s = 0;
  std::string mount_from;  // another repository of the registry that it reads, too
};

class Registry {
 public:
  // Borrows the client. Makes no request yet.
  Registry(HttpClient& http, Endpoint endpoint, Credentials credentials, Access access);

  const Endpoint& endpoint() const { return endpoint_; }
  // "registry.example/team/app", for messages.
  std::string Name() const;

  // The answer of any status, after logging in where the registry asks for it, and after going on
  // where a 307 or 308 sends a request that changes something. Credentials go to the registry's own
  // host and scheme alone, wherever the request does. Throws Error where there is no answer, no
  // access, or where Location() would.
  HttpResponse Send(RegistryRequest request);

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
  bool Answers(const std::string& url, const std::shared_ptr<const HttpTls>& tls);

  HttpClient& http_;
  const Endpoint endpoint_;
  const Credentials credentials_;
  const Access access_;

  std::mutex mutex_;  // of what follows, until it is known
  std::string base_;  // scheme and host
  std::unique_ptr<Authenticator> authenticator_;
};

}  // namespace imgbuild::builder
