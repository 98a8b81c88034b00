// Whether a service answers yet: one attempt at a time, never blocking.
#pragma once

#include <cstdint>

#include "runtime/service_table.h"

namespace imgbuild::runtime {

// tcp: the port on 127.0.0.1 accepts a connection. http: GET answers with a status below 500 (an
// answer that asks for a login is an answer).
class Probe {
 public:
  enum class Result : std::uint8_t { kPending, kReady, kFailed };

  // Begins an attempt; an earlier one is given up.
  void Start(const ServiceEntry& service);
  void Stop();
  // -1 where no attempt is under way; else poll() this for events().
  int fd() const { return fd_; }
  short events() const;
  // Call when poll() reports the descriptor.
  Result Continue();

 private:
  Result SendRequest();
  Result ReadAnswer();

  const ServiceEntry* service_ = nullptr;
  int fd_ = -1;
  bool connected_ = false;
  std::uint32_t size_ = 0;
  char answer_[16];
};

}  // namespace imgbuild::runtime
