#include "tests/support/loopback_server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "specs/base/text.h"

namespace imgbuild::support {
namespace {

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<ServedRequest> ReadRequest(int socket, std::string& pending) {
  std::size_t end;
  while ((end = pending.find("\r\n\r\n")) == std::string::npos) {
    char buffer[4096];
    ssize_t got = recv(socket, buffer, sizeof buffer, 0);
    if (got <= 0) return std::nullopt;
    pending.append(buffer, static_cast<std::size_t>(got));
    if (pending.front() == 0x16) return std::nullopt;  // a TLS ClientHello: not spoken here
  }
  const std::string head = pending.substr(0, end);
  pending.erase(0, end + 4);
  ServedRequest request;
  bool first = true;
  for (std::string_view line : specs::Split(head, '\n')) {
    line = specs::Trim(line);
    if (first) {
      std::vector<std::string_view> words = specs::SplitWords(line);
      if (words.size() < 2) return std::nullopt;
      request.method = words[0];
      request.target = words[1];
      first = false;
      continue;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers[specs::ToLower(line.substr(0, colon))] = specs::Trim(line.substr(colon + 1));
  }
  return request;
}

// False where the connection ends before.
bool ReadBody(int socket, std::string& pending, ServedRequest& request,
              const BodyReading& reading) {
  const auto length = request.headers.find("content-length");
  std::size_t size =
      length == request.headers.end() ? 0 : specs::ParseUnsigned(length->second).value_or(0);
  if (reading.stop_after && *reading.stop_after < size) {
    size = *reading.stop_after;
    request.cut = true;
  }
  while (pending.size() < size) {
    char buffer[65536];
    if (reading.drip) std::this_thread::sleep_for(*reading.drip);
    ssize_t got = recv(socket, buffer, reading.drip ? 1024 : sizeof buffer, 0);
    if (got <= 0) return false;
    pending.append(buffer, static_cast<std::size_t>(got));
  }
  request.body = pending.substr(0, size);
  pending.erase(0, size);
  return true;
}

// Says and reads nothing until the client or the server ends the connection.
void StaySilent(int socket) {
  pollfd end{.fd = socket, .events = POLLRDHUP, .revents = 0};
  while (poll(&end, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace

LoopbackServer::LoopbackServer(Handler handler, BodyReader reader)
    : handler_(std::move(handler)), reader_(std::move(reader)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on loopback");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

LoopbackServer::~LoopbackServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    std::lock_guard lock(mutex_);
    for (int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& connection : connections_) connection.join();
  for (int socket : sockets_) close(socket);
}

std::string LoopbackServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<ServedRequest> LoopbackServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void LoopbackServer::Accept() {
  while (!stopping_) {
    int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    std::lock_guard lock(mutex_);
    sockets_.push_back(connection);
    connections_.emplace_back([this, connection] { Serve(connection); });
  }
}

void LoopbackServer::Serve(int connection) {
  ServeAll(connection);
  shutdown(connection, SHUT_RDWR);
}

void LoopbackServer::ServeAll(int connection) {
  std::string pending;
  while (std::optional<ServedRequest> request = ReadRequest(connection, pending)) {
    const BodyReading reading = reader_ ? reader_(*request) : BodyReading();
    if (!ReadBody(connection, pending, *request, reading)) return;
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(*request);
    }
    ServedResponse response = handler_(*request);
    if (request->cut && reading.stop == BodyReading::Stop::kSilence) StaySilent(connection);
    if (request->cut || response.vanish) return;
    std::string head = fmt::format("HTTP/1.1 {} Status\r\n", response.status);
    if (!response.headers.contains("Content-Length")) {
      head += fmt::format("Content-Length: {}\r\n", response.body.size());
    }
    for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    head += "\r\n";
    if (response.hang != Hang::kNever) {
      if (response.hang == Hang::kBeforeBody && !SendAll(connection, head)) return;
      StaySilent(connection);
      return;
    }
    std::string_view body = response.body;
    if (request->method == "HEAD") body = {};
    if (response.cut_after) body = body.substr(0, *response.cut_after);
    if (response.drip) {
      if (!SendAll(connection, head)) return;
      for (std::size_t i = 0; i < body.size() && !stopping_; i += response.drip_size) {
        if (!SendAll(connection, body.substr(i, response.drip_size))) return;
        std::this_thread::sleep_for(*response.drip);
      }
    } else if (!SendAll(connection, head.append(body))) {
      return;
    }
    if (response.cut_after && response.silent_after_cut) StaySilent(connection);
    if (response.cut_after) return;
  }
}

ServedResponse ServeBytes(const ServedRequest& request, const std::string& content) {
  auto found = request.headers.find("range");
  if (found == request.headers.end() || !found->second.starts_with("bytes=")) {
    return {.body = content};
  }
  const std::string range = found->second.substr(6);
  const std::size_t dash = range.find('-');
  std::optional<std::uint64_t> first = specs::ParseUnsigned(range.substr(0, dash));
  std::optional<std::uint64_t> last = specs::ParseUnsigned(range.substr(dash + 1));
  std::size_t begin = 0;
  std::size_t end = content.size();
  if (first) {
    begin = *first;
    if (last) end = std::min<std::size_t>(end, *last + 1);
  } else if (last) {
    begin = content.size() - std::min<std::size_t>(*last, content.size());
  }
  if (begin >= content.size()) return {.status = 416};
  ServedResponse response{.status = 206, .body = content.substr(begin, end - begin)};
  response.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", begin, end - 1, content.size());
  return response;
}

}  // namespace imgbuild::support
