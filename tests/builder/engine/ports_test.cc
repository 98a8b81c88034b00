#include "builder/engine/ports.h"

#include <set>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace imgbuild::builder {
namespace {

// A port of loopback that somebody listens on.
class Taken {
 public:
  Taken() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 1), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Taken() { close(socket_); }
  std::uint32_t port() const { return port_; }

 private:
  int socket_;
  std::uint32_t port_ = 0;
};

TEST(Ports, ATakenOneIsReplacedByAFreeOne) {
  const Taken taken;
  EXPECT_FALSE(IsPortFree(taken.port()));
  const std::vector<PublishedPort> ports = ChoosePorts({taken.port()});
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_EQ(ports[0].inside, taken.port());
  EXPECT_NE(ports[0].outside, taken.port());
  EXPECT_TRUE(IsPortFree(ports[0].outside));
}

TEST(Ports, AFreeOneStaysAndNoneIsGivenTwice) {
  std::uint32_t free = 0;
  {
    const Taken taken;
    free = taken.port();
  }
  const Taken one;
  const Taken two;
  const std::vector<PublishedPort> ports = ChoosePorts({free, one.port(), two.port()});
  ASSERT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports[0].outside, free);
  EXPECT_EQ(std::set({ports[0].outside, ports[1].outside, ports[2].outside}).size(), 3u);
}

TEST(Ports, ThoseThatStayKeepTheirPlaces) {
  const Taken taken;
  std::uint32_t free = 0;
  std::uint32_t before = 0;
  {
    const Taken one;
    const Taken two;
    free = one.port();
    before = two.port();
  }
  // The new one has the number of what another one is published as.
  const std::vector<PublishedPort> ports =
      ChoosePorts({taken.port(), free, before}, {{taken.port(), before}, {1, free}});
  ASSERT_EQ(ports.size(), 3u);
  EXPECT_EQ(ports[0], (PublishedPort{taken.port(), before}));
  EXPECT_EQ(ports[1], (PublishedPort{free, free}));
  EXPECT_NE(ports[2].outside, before);
  EXPECT_NE(ports[2].outside, free);
}

TEST(Ports, WhatIsNoPortIsNotFree) { EXPECT_FALSE(IsPortFree(70'000)); }

}  // namespace
}  // namespace imgbuild::builder
