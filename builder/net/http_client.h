// HTTP transfers: the seam between what decides to fetch and what moves bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "layers/io/stream.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

struct HttpHeader {
  std::string name;
  std::string value;

  bool operator==(const HttpHeader&) const = default;
};

// RFC 9110, 14.1.2. Inclusive; `last` absent: to the end; `suffix`: the last `first` bytes.
struct ByteRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;
  bool suffix = false;
};

// "0-99", "100-", "-500": what follows "bytes=".
std::string RangeText(const ByteRange& range);

// What a request sends: bytes in memory, or a stretch of a file, which each try opens anew.
struct HttpUpload {
  std::string bytes;
  std::filesystem::path file;  // "": bytes
  std::uint64_t offset = 0;    // of the file
  std::uint64_t size = 0;      // of the stretch
  // Bytes sent so far; may be called often, and starts anew with each try.
  std::function<void(std::uint64_t)> progress;
};

enum class TlsCheck { kVerify, kSkip };

// Of one server, where it differs from the client's own settings; "" for none.
struct HttpTls {
  std::string authorities;  // certificates of CAs, as PEM text, instead of the client's file
  std::string certificate;  // a PEM file, as is the next
  std::string key;
  TlsCheck check = TlsCheck::kVerify;
};

enum class RedirectPolicy { kFollow, kReturn };

// Whether a request without an Authorization header may get one from netrc or the URL.
enum class CredentialPolicy { kNetrc, kNone };

struct HttpResponse;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // may carry user:password@; never shown, see RedactUrl
  std::vector<HttpHeader> headers;
  std::optional<ByteRange> range;
  // Where the body of a 2xx answer goes as it arrives, called on the client's thread; null: it is
  // kept in HttpResponse::body, up to max_body bytes (more is an error).
  layers::Sink* body = nullptr;
  std::uint64_t max_body = 512ull << 20;
  // Called before the first body byte of each attempt, so that a sink can start anew after a
  // retry. Null with a sink: a transfer that already delivered bytes is not tried again.
  std::function<void()> restart;
  // Called with status and headers before the first body byte of each 2xx answer reaches the sink
  // (after `restart`): whether it is the range that was asked for stands there. What it throws ends
  // the transfer.
  std::function<void(const HttpResponse&)> head;
  // Bytes of the body received so far; may be called often.
  std::function<void(std::uint64_t)> progress;
  // Asked now and then on the client's thread, also while nothing comes: once it says no, the
  // transfer ends with an Error of kind kInterrupted. Null: wanted to the end.
  std::function<bool()> wanted;
  std::optional<HttpUpload> upload;  // POST, PUT and PATCH without one send an empty body
  RedirectPolicy redirects = RedirectPolicy::kFollow;
  CredentialPolicy credentials = CredentialPolicy::kNetrc;
  int max_tries = 0;                  // 0: the client's own; 1: no byte is sent twice
  std::uint64_t stall_timeout_s = 0;  // 0: the client's own
  std::uint64_t patience_s = 0;       // more than that once the body is out, for who works on it
  std::uint64_t longest_wait_ms = 0;  // before one more try, if less than the client's own; 0: that
  // Null: the client's own. It is for the one server: REQUIRES redirects to be returned.
  std::shared_ptr<const HttpTls> tls;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;
  std::string url;  // after redirects

  // The first header of that name, compared without case; "" if there is none.
  std::string_view Header(std::string_view name) const;
  // All of that name, in order: those that are lists may come in several (RFC 9110, 5.3).
  std::vector<std::string_view> AllHeaders(std::string_view name) const;
};

// An HTTP answer of any status, or why there was none.
using HttpResult = std::variant<HttpResponse, specs::Error>;

// Of a request that is to be tried again.
struct HttpWait {
  std::string server;  // "registry.example:5000"
  std::string reason;  // what came of the last try: "registry.example:5000 answers 503"
  std::uint64_t milliseconds = 0;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Starts a transfer and returns at once. `done` is called exactly once, on the client's own
  // thread, and must not block. Transfers of one host share a connection (HTTP/2) where they can.
  // Failures that may pass (connection lost, 429, 5xx) are retried within limits before that; where
  // a server asks for a longer wait than they allow (Retry-After), its answer comes at once.
  virtual void Start(HttpRequest request, std::function<void(HttpResult)> done) = 0;

  // Waits for whoever tries requests again by other means than the client's own, and tells of it as
  // of those. Throws Error (kInterrupted) where the client ends meanwhile.
  virtual void Wait(const HttpWait& wait);

  // Start and wait. Throws the Error where there was no answer; statuses are left to the caller.
  HttpResponse Fetch(HttpRequest request);
};

// The URL without user, password and query: what may be shown.
std::string RedactUrl(std::string_view url);

// "registry.example:5000" of a URL.
std::string ServerOf(std::string_view url);

// "404", and "503 and asks to wait 300 s" where a failure that may pass comes with a Retry-After:
// what follows "answers".
std::string StatusText(const HttpResponse& response);

}  // namespace imgbuild::builder
