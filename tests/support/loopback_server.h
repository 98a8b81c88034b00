// A small honest HTTP/1.1 server on loopback, for tests of what really moves bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace imgbuild::support {

struct ServedRequest {
  std::string method;
  std::string target;                          // path and query as sent
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // as long as Content-Length says
  bool cut = false;                            // or only what came before the server stopped
};

// How a request's body is read.
struct BodyReading {
  enum class Stop { kHangUp, kSilence };

  // After so many bytes of it the server hangs up, or reads no further and says nothing, with the
  // connection open until the client ends it.
  std::optional<std::size_t> stop_after;
  Stop stop = Stop::kHangUp;
  // Between pieces of a kilobyte.
  std::optional<std::chrono::milliseconds> drip;
};

// Where an answer stops, with the connection left open until the client or the server ends it.
enum class Hang { kNever, kBeforeHead, kBeforeBody };

struct ServedResponse {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  // Close the connection after this many body bytes though Content-Length promises all of them.
  std::optional<std::size_t> cut_after;
  // With cut_after: say nothing more instead.
  bool silent_after_cut = false;
  Hang hang = Hang::kNever;
  bool vanish = false;  // close the connection without an answer
  // Between pieces of the body.
  std::optional<std::chrono::milliseconds> drip;
  std::size_t drip_size = 1;
};

// One thread a connection; a handler is called for each request, possibly at the same time.
class LoopbackServer {
 public:
  using Handler = std::function<ServedResponse(const ServedRequest&)>;

  // Asked for a request's head. Where the body is not read to its end, the handler still sees the
  // request, as a server that wrote the bytes down would; its answer goes nowhere.
  using BodyReader = std::function<BodyReading(const ServedRequest&)>;

  explicit LoopbackServer(Handler handler, BodyReader reader = {});
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // "http://127.0.0.1:PORT", no slash at the end.
  std::string url() const;
  std::vector<ServedRequest> requests() const;

 private:
  void Accept();
  void Serve(int connection);
  void ServeAll(int connection);

  Handler handler_;
  BodyReader reader_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::vector<std::thread> connections_;
  std::vector<int> sockets_;
  std::vector<ServedRequest> requests_;
};

// Serves `content` and understands single byte ranges (206, 416).
ServedResponse ServeBytes(const ServedRequest& request, const std::string& content);

}  // namespace imgbuild::support
