#include "tests/support/fault_proxy.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "specs/base/text.h"

namespace imgbuild::support {
namespace {

// A connection to the server behind, for one request.
class Backend {
 public:
  explicit Backend(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 ||
        connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("the server behind the proxy does not listen");
    }
  }
  ~Backend() { close(socket_); }
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void EndSending() { shutdown(socket_, SHUT_WR); }

  std::string ReadAll() {
    std::string all;
    char buffer[65536];
    for (ssize_t got; (got = recv(socket_, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  int socket_;
};

// With HTTP/1.0, so that the answer's body ends with the connection and has no chunks.
std::string Head(const ServedRequest& request) {
  std::string head = fmt::format("{} {} HTTP/1.0\r\n", request.method, request.target);
  for (const auto& [name, value] : request.headers) {
    if (name == "connection" || name == "expect" || name == "transfer-encoding") continue;
    head += fmt::format("{}: {}\r\n", name, value);
  }
  return head + "\r\n";
}

ServedResponse ParseAnswer(const std::string& answer, bool has_body) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error("no answer from the server");
  ServedResponse response{.body = answer.substr(end + 4)};
  const std::string head = answer.substr(0, end);
  bool first = true;
  for (std::string_view line : specs::Split(head, '\n')) {
    line = specs::Trim(line);
    if (first) {
      const auto words = specs::SplitWords(line);
      response.status = static_cast<int>(specs::ParseUnsigned(words.at(1)).value_or(0));
      first = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name(line.substr(0, colon));
    if (specs::ToLower(name) == "connection") continue;
    // What a HEAD says of the length stands; a body may be spoiled.
    if (has_body && specs::ToLower(name) == "content-length") continue;
    response.headers[name] = specs::Trim(line.substr(colon + 1));
  }
  return response;
}

void FlipOneByte(std::string& bytes, std::uint32_t seed) {
  if (!bytes.empty()) bytes[seed % bytes.size()] ^= 0x20;
}

// Some of `size` bytes, not all.
std::size_t SomeOf(std::size_t size, std::uint32_t seed) { return size == 0 ? 0 : seed % size; }

}  // namespace

std::string Name(Fault fault) {
  static constexpr const char* kNames[] = {
      "unauthorized", "too many requests", "internal error",  "bad gateway",
      "unavailable",  "reset before",      "lost answer",     "cut upload",
      "cut answer",   "corrupt answer",    "corrupt upload",  "drip",
      "wrong digest", "redirect",          "foreign location"};
  return kNames[static_cast<std::size_t>(fault)];
}

FaultProxy::FaultProxy(std::uint16_t port)
    : port_(port),
      server_([this](const ServedRequest& request) { return Handle(request); },
              [this](const ServedRequest& request) { return CutOf(request); }) {}

void FaultProxy::Spoil(std::size_t number, Fault fault, std::uint32_t seed) {
  std::lock_guard lock(mutex_);
  plan_ = Plan{number, fault, seed};
  count_ = 0;
  spoiled_ = false;
}

void FaultProxy::SpoilNothing() {
  std::lock_guard lock(mutex_);
  plan_.reset();
  count_ = 0;
  spoiled_ = false;
}

std::size_t FaultProxy::requests() const {
  std::lock_guard lock(mutex_);
  return count_;
}

bool FaultProxy::spoiled() const {
  std::lock_guard lock(mutex_);
  return spoiled_;
}

// Asked first for each request, before its body: the request is counted here.
std::optional<std::size_t> FaultProxy::CutOf(const ServedRequest& request) {
  std::lock_guard lock(mutex_);
  const std::size_t number = count_++;
  if (!plan_ || plan_->number != number || plan_->fault != Fault::kCutUpload) return std::nullopt;
  const auto length = request.headers.find("content-length");
  if (length == request.headers.end() || length->second == "0") return std::nullopt;
  spoiled_ = true;
  return SomeOf(specs::ParseUnsigned(length->second).value_or(0), plan_->seed);
}

ServedResponse FaultProxy::Handle(const ServedRequest& request) {
  std::optional<Plan> plan;
  {
    std::lock_guard lock(mutex_);
    // The first whole request at or after that number; requests may come side by side.
    if (plan_ && !spoiled_ && count_ > plan_->number && plan_->fault != Fault::kCutUpload) {
      plan = plan_;
      spoiled_ = true;
    }
  }
  return plan ? Spoiled(request, *plan) : Forward(request);
}

ServedResponse FaultProxy::Spoiled(const ServedRequest& request, const Plan& plan) {
  switch (plan.fault) {
    case Fault::kUnauthorized:
      return {.status = 401, .headers = {{"WWW-Authenticate", "Odd realm=\"nowhere\""}}};
    case Fault::kTooManyRequests:
      return {.status = 429, .headers = {{"Retry-After", "0"}}};
    case Fault::kInternalError:
      return {.status = 500, .body = R"({"errors":[{"code":"UNKNOWN"}]})"};
    case Fault::kBadGateway:
      return {.status = 502, .body = "<html><body>Bad gateway</body></html>"};
    case Fault::kUnavailable:
      Forward(request);
      return {.status = 503};
    case Fault::kResetBefore:
      return {.vanish = true};
    case Fault::kCutUpload:
      return Forward(request);
    case Fault::kRedirect:
      return {.status = 307, .headers = {{"Location", request.target}}};
    case Fault::kCorruptUpload: {
      ServedRequest other = request;
      FlipOneByte(other.body, plan.seed);
      return Forward(other);
    }
    default:
      break;
  }
  ServedResponse response = Forward(request);
  switch (plan.fault) {
    case Fault::kLostAnswer:
      response.vanish = true;
      break;
    case Fault::kCutAnswer:
      response.cut_after = SomeOf(response.body.size(), plan.seed);
      break;
    case Fault::kCorruptAnswer:
      FlipOneByte(response.body, plan.seed);
      break;
    case Fault::kDrip:
      if (response.body.size() < 2'000) response.drip = std::chrono::milliseconds(1);
      break;
    case Fault::kWrongDigest:
      if (response.headers.contains("Docker-Content-Digest")) {
        response.headers["Docker-Content-Digest"] = "sha256:" + std::string(64, 'e');
      }
      break;
    case Fault::kForeignLocation:
      if (response.headers.contains("Location")) {
        response.headers["Location"] = "http://elsewhere.example/v2/upload";
      }
      break;
    default:
      break;
  }
  return response;
}

ServedResponse FaultProxy::Forward(const ServedRequest& request) const {
  Backend backend(port_);
  backend.Send(Head(request));
  backend.Send(request.body);
  if (request.cut) {
    backend.EndSending();
    backend.ReadAll();
    return {};
  }
  const std::string answer = backend.ReadAll();
  return ParseAnswer(answer, request.method != "HEAD");
}

}  // namespace imgbuild::support
