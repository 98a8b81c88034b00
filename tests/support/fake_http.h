// An HttpClient that answers from a table and remembers what it was asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "builder/net/http_client.h"

namespace imgbuild::support {

// Answers at once, in the caller's thread; safe from several threads. Bodies of 2xx answers go to
// the request's sink where it has one; single byte ranges are served (206, 416).
class FakeHttp : public builder::HttpClient {
 public:
  using Answer = std::function<builder::HttpResult(const builder::HttpRequest&)>;

  // GET `url` answers 200 with `body` and these headers; an "ETag" among them is honoured (304 to
  // a matching If-None-Match).
  void Serve(const std::string& url, std::string body,
             std::vector<builder::HttpHeader> headers = {});
  // Any method on `url` is answered by `answer`.
  void On(const std::string& url, Answer answer);
  // No connection can be made for `url`.
  void Break(const std::string& url, const std::string& reason);
  // From now on no connection can be made at all.
  void BreakAll(const std::string& reason);
  // `url` is 404 again, as is all that was never served.
  void Remove(const std::string& url);

  void Start(builder::HttpRequest request, std::function<void(builder::HttpResult)> done) override;

  struct Seen {
    std::string method;
    std::string url;
    std::vector<builder::HttpHeader> headers;
  };
  std::vector<Seen> requests() const;
  void ForgetRequests();
  // How often that URL was asked for.
  int Count(const std::string& url) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::string broken_;  // why nothing can be reached; "" while it can
  std::vector<Seen> requests_;
};

}  // namespace imgbuild::support
