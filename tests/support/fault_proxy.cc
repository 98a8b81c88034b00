#include "tests/support/fault_proxy.h"

#include <chrono>
#include <stdexcept>
#include <utility>

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

// Of a body's bytes, the one at that part.
std::size_t ByteAt(std::size_t size, double where) {
  return size == 0 ? 0 : static_cast<std::size_t>(static_cast<double>(size - 1) * where);
}

void FlipOneByte(std::string& bytes, double where) { bytes[ByteAt(bytes.size(), where)] ^= 0x20; }

std::size_t LengthOf(const ServedRequest& request) {
  const auto length = request.headers.find("content-length");
  return length == request.headers.end() ? 0 : specs::ParseUnsigned(length->second).value_or(0);
}

bool SpoilsReading(Fault fault) {
  return fault == Fault::kCutUpload || fault == Fault::kSilentUpload || fault == Fault::kSlowUpload;
}

// What the client gets without the server; nullopt where the server has its part.
std::optional<ServedResponse> AnswerInstead(const ServedRequest& request, Fault fault) {
  switch (fault) {
    case Fault::kUnauthorized:
      return ServedResponse{.status = 401,
                            .headers = {{"WWW-Authenticate", "Odd realm=\"nowhere\""}}};
    case Fault::kTooManyRequests:
      return ServedResponse{.status = 429, .headers = {{"Retry-After", "0"}}};
    case Fault::kInternalError:
      return ServedResponse{.status = 500, .body = R"({"errors":[{"code":"UNKNOWN"}]})"};
    case Fault::kBadGateway:
      return ServedResponse{.status = 502, .body = "<html><body>Bad gateway</body></html>"};
    case Fault::kResetBefore:
      return ServedResponse{.vanish = true};
    case Fault::kRedirect:
      return ServedResponse{.status = 307, .headers = {{"Location", request.target}}};
    case Fault::kSilence:
      return ServedResponse{.hang = Hang::kBeforeHead};
    default:
      return std::nullopt;
  }
}

// Whether the answer has what the fault spoils.
bool CanSpoil(const ServedResponse& response, Fault fault) {
  switch (fault) {
    case Fault::kUnavailable:
    case Fault::kLostAnswer:
      return true;
    case Fault::kCutAnswer:
    case Fault::kSilentAnswer:
    case Fault::kSlowAnswer:
    case Fault::kCorruptAnswer:
      return !response.body.empty();
    case Fault::kWrongDigest:
      return response.headers.contains("Docker-Content-Digest");
    case Fault::kForeignLocation:
      return response.headers.contains("Location");
    default:
      return false;
  }
}

}  // namespace

std::string Name(Fault fault) {
  static constexpr const char* kNames[] = {
      "unauthorized",  "too many requests", "internal error", "bad gateway",     "unavailable",
      "reset before",  "lost answer",       "redirect",       "silence",         "cut upload",
      "silent upload", "slow upload",       "corrupt upload", "cut answer",      "silent answer",
      "slow answer",   "corrupt answer",    "wrong digest",   "foreign location"};
  return kNames[static_cast<std::size_t>(fault)];
}

bool IsAtAByte(Fault fault) {
  return fault == Fault::kCutUpload || fault == Fault::kSilentUpload ||
         fault == Fault::kCorruptUpload || fault == Fault::kCutAnswer ||
         fault == Fault::kSilentAnswer || fault == Fault::kCorruptAnswer;
}

FaultProxy::FaultProxy(std::uint16_t port)
    : port_(port),
      server_([this](const ServedRequest& request) { return Handle(request); },
              [this](const ServedRequest& request) { return ReadingOf(request); }) {}

void FaultProxy::Spoil(std::size_t number, Fault fault, double where) {
  std::lock_guard lock(mutex_);
  plan_ = Plan{number, fault, where};
  passed_ = 0;
  spoiled_ = false;
}

void FaultProxy::SpoilOnly(std::string part) {
  std::lock_guard lock(mutex_);
  part_ = std::move(part);
}

void FaultProxy::SpoilNothing() {
  std::lock_guard lock(mutex_);
  plan_.reset();
  spoiled_ = false;
}

bool FaultProxy::spoiled() const {
  std::lock_guard lock(mutex_);
  return spoiled_;
}

std::optional<FaultProxy::Plan> FaultProxy::PlanFor(const ServedRequest& request) const {
  std::lock_guard lock(mutex_);
  if (spoiled_ || request.target.find(part_) == std::string::npos) return std::nullopt;
  return plan_;
}

// Asked for each request that the fault can spoil: whether this is the one.
bool FaultProxy::IsTurn() {
  std::lock_guard lock(mutex_);
  if (!plan_ || spoiled_ || passed_++ != plan_->number) return false;
  spoiled_ = true;
  return true;
}

BodyReading FaultProxy::ReadingOf(const ServedRequest& request) {
  const std::optional<Plan> plan = PlanFor(request);
  const std::size_t length = LengthOf(request);
  if (!plan || !SpoilsReading(plan->fault) || length == 0 || !IsTurn()) return {};
  if (plan->fault == Fault::kSlowUpload) return {.drip = std::chrono::milliseconds(1)};
  return {.stop_after = ByteAt(length, plan->where),
          .stop = plan->fault == Fault::kCutUpload ? BodyReading::Stop::kHangUp
                                                   : BodyReading::Stop::kSilence};
}

ServedResponse FaultProxy::Handle(const ServedRequest& request) {
  const std::optional<Plan> plan = PlanFor(request);
  if (!plan || SpoilsReading(plan->fault)) return Forward(request);
  if (auto instead = AnswerInstead(request, plan->fault)) {
    return IsTurn() ? *std::move(instead) : Forward(request);
  }
  if (plan->fault == Fault::kCorruptUpload) {
    if (request.body.empty() || !IsTurn()) return Forward(request);
    ServedRequest other = request;
    FlipOneByte(other.body, plan->where);
    return Forward(other);
  }
  ServedResponse response = Forward(request);
  if (!CanSpoil(response, plan->fault) || !IsTurn()) return response;
  return SpoilAnswer(std::move(response), *plan);
}

ServedResponse FaultProxy::SpoilAnswer(ServedResponse response, const Plan& plan) {
  switch (plan.fault) {
    case Fault::kUnavailable:
      return {.status = 503};
    case Fault::kLostAnswer:
      response.vanish = true;
      break;
    case Fault::kCutAnswer:
    case Fault::kSilentAnswer:
      response.cut_after = ByteAt(response.body.size(), plan.where);
      response.silent_after_cut = plan.fault == Fault::kSilentAnswer;
      break;
    case Fault::kSlowAnswer:
      response.drip = std::chrono::milliseconds(1);
      response.drip_size = response.body.size() / 200 + 1;
      break;
    case Fault::kCorruptAnswer:
      FlipOneByte(response.body, plan.where);
      break;
    case Fault::kWrongDigest:
      response.headers["Docker-Content-Digest"] = "sha256:" + std::string(64, 'e');
      break;
    case Fault::kForeignLocation:
      response.headers["Location"] = "http://elsewhere.example/v2/upload";
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
