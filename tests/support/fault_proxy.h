// An HTTP proxy on loopback in front of a real server, that spoils one request of its choice: what
// networks, load balancers and overloaded registries do.
#pragma once

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
  kRedirect,         // 307 to the same place
  kSilence,          // nothing more comes, and the connection stays open
  kCutUpload,        // the connection ends within the request's body; the server got what came
  kSilentUpload,     // the same, but the connection stays open
  kSlowUpload,       // the request's body is taken bit by bit
  kCorruptUpload,    // one byte of the request's body is another
  kCutAnswer,        // the connection ends within the answer's body
  kSilentAnswer,     // the same, but the connection stays open
  kSlowAnswer,       // the answer's body comes bit by bit
  kCorruptAnswer,    // one byte of the answer's body is another
  kWrongDigest,      // the header Docker-Content-Digest is another's
  kForeignLocation,  // the header Location leads to another host
};
inline constexpr Fault kLastFault = Fault::kForeignLocation;

std::string Name(Fault fault);
// Whether it happens at one byte of a body.
bool IsAtAByte(Fault fault);

class FaultProxy {
 public:
  // In front of 127.0.0.1:`port`.
  explicit FaultProxy(std::uint16_t port);

  std::string host() const { return server_.url().substr(7); }

  // Of the requests from now on that `fault` can spoil (one without a body has no upload to cut),
  // the one of that number, counted from 0, meets it. Within a body it happens at the part `where`,
  // from 0 for the first byte to 1 for the last one.
  void Spoil(std::size_t number, Fault fault, double where);
  // From now on that counts, and happens to, only those with this in their path.
  void SpoilOnly(std::string part);
  void SpoilNothing();

  // Whether the fault met its request, since the last of these two.
  bool spoiled() const;

 private:
  struct Plan {
    std::size_t number = 0;
    Fault fault = Fault::kInternalError;
    double where = 0;
  };

  std::optional<Plan> PlanFor(const ServedRequest& request) const;
  bool IsTurn();
  BodyReading ReadingOf(const ServedRequest& request);
  ServedResponse Handle(const ServedRequest& request);
  static ServedResponse SpoilAnswer(ServedResponse response, const Plan& plan);
  ServedResponse Forward(const ServedRequest& request) const;

  const std::uint16_t port_;
  mutable std::mutex mutex_;
  std::string part_;  // of paths; "" is in all
  std::optional<Plan> plan_;
  std::size_t passed_ = 0;  // requests that could have been spoiled
  bool spoiled_ = false;
  LoopbackServer server_;  // last: it serves at once
};

}  // namespace imgbuild::support
