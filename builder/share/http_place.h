// A server of the plain HTTP cache protocol ("HTTP Caching Protocol" in Bazel's documentation of
// remote caching): GET and PUT of {base}/ac/{KEY} and {base}/cas/{SHA256}.
//
// A key there is the hash of an entry's kind and key, an answer an ActionResult (action_result.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "builder/net/http_client.h"
#include "builder/share/cache_client.h"
#include "builder/share/cache_place.h"

namespace imgbuild::builder {

// The key that the action cache has for an entry.
specs::Sha256 ActionKey(const EntryName& name);

// What to throw for a status that is no answer.
specs::Error CacheRefused(const std::string& place, const HttpResponse& response);

// The answer to a request whose headers are for its own host: where that sends it elsewhere, it
// goes on without them, be they secrets by a name that no client knows as one.
HttpResponse FetchAtHome(HttpClient& http, HttpRequest request);

class HttpPlace : public CachePlace {
 public:
  // `url` is the base, with or without credentials and a slash at its end. `headers` go with every
  // request.
  HttpPlace(std::unique_ptr<CacheClient> client, std::string_view url,
            std::vector<HttpHeader> headers);

  const std::string& name() const override { return name_; }
  std::optional<CacheEntry> Find(const EntryName& name) override;
  bool Read(const EntryBlob& blob, layers::Sink& sink,
            const std::function<void()>& restart) override;
  std::uint64_t bytes_received() const override { return client_->bytes_received(); }

 private:
  const std::unique_ptr<CacheClient> client_;
  const std::string base_;
  const std::string name_;
  const std::vector<HttpHeader> headers_;
};

}  // namespace imgbuild::builder
