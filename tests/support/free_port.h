// A port of loopback for a server that wants to be told its own.
#pragma once

#include <cstdint>
#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace imgbuild::support {

// Nothing listens on it now, and nothing gets it by chance before the server starts: it lies below
// those that the kernel gives to outgoing connections and to servers that leave the choice to it.
inline std::uint16_t FreePort() {
  std::random_device random;
  std::uniform_int_distribution<int> any(10'000, 32'000);
  for (int i = 0; i < 100; ++i) {
    const auto port = static_cast<std::uint16_t>(any(random));
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool free = bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(socket);
    if (free) return port;
  }
  throw std::runtime_error("no free port on loopback");
}

}  // namespace imgbuild::support
