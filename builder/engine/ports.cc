#include "builder/engine/ports.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

// A bound socket, which keeps its port from others while more are chosen; not open where the port
// is taken. 0 is any port.
layers::FileDescriptor Bind(std::uint32_t& port) {
  layers::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) {
    throw specs::Error("cannot open a socket").Found(std::strerror(errno));
  }
  // As engines bind: what still lingers from a connection that ended is no obstacle.
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return layers::FileDescriptor();
  }
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

bool IsPortFree(std::uint32_t port) { return port < 65536 && Bind(port).get() >= 0; }

std::vector<PublishedPort> ChoosePorts(const std::vector<std::uint32_t>& inside,
                                       const std::vector<PublishedPort>& published) {
  std::vector<PublishedPort> ports;
  std::vector<layers::FileDescriptor> held;
  for (std::uint32_t port : inside) {
    const auto stays = std::ranges::find(published, port, &PublishedPort::inside);
    ports.push_back({port, stays == published.end() ? 0u : stays->outside});
    if (std::uint32_t outside = ports.back().outside; outside != 0) held.push_back(Bind(outside));
  }
  for (PublishedPort& port : ports) {
    if (port.outside != 0) continue;
    // Sockets that do not listen share a port which is asked for by its number.
    const auto given = std::ranges::find(ports, port.inside, &PublishedPort::outside);
    std::uint32_t outside = given == ports.end() ? port.inside : 0;
    layers::FileDescriptor socket = Bind(outside);
    if (!socket.valid()) {
      outside = 0;
      socket = Bind(outside);
      if (!socket.valid()) throw specs::Error("no port is free on 127.0.0.1");
    }
    held.push_back(std::move(socket));
    port.outside = outside;
  }
  return ports;
}

}  // namespace imgbuild::builder
