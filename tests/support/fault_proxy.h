// An HTTP proxy on loopback in front of a real server, that spoils one request of its choice: what
// networks, load balancers and overloaded registries do.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/loopback_server.h"

namespace imgbuild::support {

enum class Fault {
  kUnauthorized,     // 401 with a challenge that nobody can meet
  kTooManyRequests,  // 429 with Retry-After: 0
  kInternalError,    // 500
  kBadGateway,       // 502 with a page of HTML
  kUnavailable,      // 503 after the server did its work
  kResetBefore,      // the connection ends before the server sees the request
  kLostAnswer,       // the server did its work, and the connection ends before the answer
  kCutUpload,        // after some bytes of the request's body, which the server got
  kCutAnswer,        // after some bytes of the answer's body
  kCorruptAnswer,    // one byte of the answer's body is another
  kCorruptUpload,    // one byte of the request's body is another
  kDrip,             // the answer's body comes byte by byte
  kWrongDigest,      // the header Docker-Content-Digest is another's
  kRedirect,         // 307 to the same place
  kForeignLocation,  // the header Location leads to another host
};
inline constexpr Fault kLastFault = Fault::kForeignLocation;

std::string Name(Fault fault);

class FaultProxy {
 public:
  // In front of 127.0.0.1:`port`.
  explicit FaultProxy(std::uint16_t port);

  std::string host() const { return server_.url().substr(7); }

  // The request `number`, counted from 0 and from now, meets `fault`; where a fault says "some
  // bytes", `seed` says which. Only where there is something to spoil: a request without a body
  // has no upload to cut.
  void Spoil(std::size_t number, Fault fault, std::uint32_t seed);
  void SpoilNothing();

  // Since the last of these two.
  std::size_t requests() const;
  // Whether the fault met its request.
  bool spoiled() const;

 private:
  struct Plan {
    std::size_t number = 0;
    Fault fault = Fault::kInternalError;
    std::uint32_t seed = 0;
  };

  std::optional<std::size_t> CutOf(const ServedRequest& request);
  ServedResponse Handle(const ServedRequest& request);
  ServedResponse Spoiled(const ServedRequest& request, const Plan& plan);
  ServedResponse Forward(const ServedRequest& request) const;

  const std::uint16_t port_;
  mutable std::mutex mutex_;
  std::optional<Plan> plan_;
  std::size_t count_ = 0;
  bool spoiled_ = false;
  LoopbackServer server_;  // last: it serves at once
};

}  // namespace imgbuild::support
