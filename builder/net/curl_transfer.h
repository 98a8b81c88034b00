// One transfer of CurlClient through all its tries: what was asked, what has come, and the curl
// handle in between. For this folder's own sources alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "builder/net/curl_client.h"
#include "builder/net/libcurl.h"
#include "builder/net/retry.h"
#include "builder/net/upload_reader.h"

namespace imgbuild::builder {

struct EasyDeleter {
  void operator()(CURL* easy) const { Lib().curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { Lib().curl_slist_free_all(list); }
};

struct Transfer {
  HttpRequest request;
  std::function<void(HttpResult)> done;

  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  char error_text[CURL_ERROR_SIZE] = "";

  std::optional<UploadReader> upload;
  std::uint64_t stall_timeout_s = 0;  // what holds for this transfer

  int tries = 0;
  RetryWaits waits;
  std::chrono::steady_clock::time_point due;
  HttpResponse response;
  std::uint64_t received = 0;           // body bytes of this try
  bool delivered = false;               // some bytes have reached the sink, in any try
  std::optional<specs::Error> failure;  // from the sink or a limit; final

  bool Success() const { return response.status >= 200 && response.status < 300; }
};

// Makes a new handle for the next try and sets everything on it. Throws Error where what is to be
// sent cannot be read. `transfer` must stay where it is while the handle is used.
void PrepareTry(Transfer& transfer, const CurlOptions& options);

}  // namespace imgbuild::builder
