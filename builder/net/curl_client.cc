#include "builder/net/curl_client.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "builder/net/curl_transfer.h"
#include "builder/net/libcurl.h"
#include "builder/net/redirect.h"
#include "builder/net/retry.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr long kMaxConnectionsPerHost = 8;
constexpr long kMaxConnections = 32;
constexpr int kMostTimeouts = 2;
// How often transfers are asked whether they are still wanted.
constexpr std::chrono::milliseconds kLook(100);

struct CurlGlobal {
  CurlGlobal() { Lib().curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~CurlGlobal() { Lib().curl_global_cleanup(); }
};

bool IsTransientCode(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

// What the user can do about a transport failure.
std::string HintFor(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "point SSL_CERT_FILE (or CURL_CA_BUNDLE) at the CA bundle that signs this server's "
             "certificate";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
      return "check the network, http_proxy and https_proxy, or build with --offline from the "
             "cache";
    case CURLE_TOO_MANY_REDIRECTS:
      return "the server sends this address round in circles: check the URL's setting";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return "an address begins with https://, http:// or file://";
    default:
      return "";
  }
}

// A URL of https is of a known protocol: what is not is where it was sent on to.
bool LeftTls(const Transfer& transfer, CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL && HasTls(transfer.request.url);
}

// What curl says of a transport failure.
std::string ReasonOf(const Transfer& transfer, CURLcode code) {
  if (LeftTls(transfer, code)) return "it is sent on to a server without TLS";
  return transfer.error_text[0] != '\0' ? transfer.error_text : Lib().curl_easy_strerror(code);
}

WaitLimits LimitsOf(const HttpRequest& request, WaitLimits limits) {
  if (request.longest_wait_ms > 0) {
    limits.one_ms = std::min(limits.one_ms, request.longest_wait_ms);
  }
  return limits;
}

}  // namespace

// The thread that owns every curl handle. Other threads only append to `incoming` and wake it.
struct CurlClient::Loop {
  explicit Loop(CurlOptions given) : options(std::move(given)), multi(Lib().curl_multi_init()) {
    Lib().curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    Lib().curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, kMaxConnectionsPerHost);
    Lib().curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
    Lib().curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 100L);
    thread = std::thread([this] { Run(); });
  }

  ~Loop() {
    Stop();
    thread.join();
    Lib().curl_multi_cleanup(multi);
  }

  void Stop() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    stopped.notify_all();
    Lib().curl_multi_wakeup(multi);
  }

  void Run();
  void TakeIncoming();
  void Begin(std::unique_ptr<Transfer> transfer);
  void BeginDue();
  void Collect();
  void EndUnwanted();
  void End(std::unique_ptr<Transfer> transfer, CURLcode code);
  bool TryAgain(Transfer& transfer, CURLcode code);
  void Tell(const HttpWait& wait);
  int MostTries(const Transfer& transfer, CURLcode code) const;
  void AbortAll();
  int WaitMs() const;

  CurlOptions options;
  CURLM* multi;
  std::thread thread;

  std::mutex mutex;
  std::deque<std::unique_ptr<Transfer>> incoming;
  bool stopping = false;
  std::condition_variable stopped;

  std::mutex told_mutex;
  std::map<std::string, Clock::time_point> told;  // until when which server is waited for

  // The loop thread's own.
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running;
  std::vector<std::unique_ptr<Transfer>> waiting;  // for their next try
  std::mt19937 random{std::random_device{}()};
  bool watching = false;  // some transfer may become unwanted
  Clock::time_point next_look;
};

void CurlClient::Loop::Run() {
  for (;;) {
    TakeIncoming();
    {
      std::lock_guard lock(mutex);
      if (stopping) break;
    }
    BeginDue();
    int active = 0;
    Lib().curl_multi_perform(multi, &active);
    Collect();
    EndUnwanted();
    Lib().curl_multi_poll(multi, nullptr, 0, WaitMs(), nullptr);
  }
  AbortAll();
}

void CurlClient::Loop::TakeIncoming() {
  std::deque<std::unique_ptr<Transfer>> taken;
  {
    std::lock_guard lock(mutex);
    taken.swap(incoming);
  }
  for (auto& transfer : taken) Begin(std::move(transfer));
}

void CurlClient::Loop::Begin(std::unique_ptr<Transfer> transfer) {
  try {
    PrepareTry(*transfer, options);
  } catch (specs::Error& error) {
    transfer->done(std::move(error));
    return;
  }
  CURL* easy = transfer->easy.get();
  if (transfer->request.wanted) watching = true;
  running.emplace(easy, std::move(transfer));
  Lib().curl_multi_add_handle(multi, easy);
}

void CurlClient::Loop::BeginDue() {
  const Clock::time_point now = Clock::now();
  for (std::size_t i = 0; i < waiting.size();) {
    if (waiting[i]->due > now) {
      ++i;
      continue;
    }
    std::unique_ptr<Transfer> transfer = std::move(waiting[i]);
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    Begin(std::move(transfer));
  }
}

int CurlClient::Loop::WaitMs() const {
  std::int64_t wait = watching ? kLook.count() : 10'000;
  for (const auto& transfer : waiting) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(transfer->due - Clock::now());
    wait = std::min<std::int64_t>(wait, std::max<std::int64_t>(left.count() + 1, 0));
  }
  return static_cast<int>(wait);
}

void CurlClient::Loop::Collect() {
  int left = 0;
  while (CURLMsg* message = Lib().curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    auto found = running.find(message->easy_handle);
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    running.erase(found);
    Lib().curl_multi_remove_handle(multi, transfer->easy.get());
    End(std::move(transfer), code);
  }
}

void CurlClient::Loop::EndUnwanted() {
  const Clock::time_point now = Clock::now();
  if (!watching || now < next_look) return;
  next_look = now + kLook;
  watching = false;
  std::vector<std::unique_ptr<Transfer>> unwanted;
  auto take = [&](std::unique_ptr<Transfer>& transfer) {
    if (!transfer->request.wanted) return false;
    watching = true;
    if (transfer->request.wanted()) return false;
    unwanted.push_back(std::move(transfer));
    return true;
  };
  std::erase_if(waiting, take);
  for (auto entry = running.begin(); entry != running.end();) {
    CURL* const easy = entry->first;
    if (!take(entry->second)) {
      ++entry;
      continue;
    }
    Lib().curl_multi_remove_handle(multi, easy);
    entry = running.erase(entry);
  }
  for (const auto& transfer : unwanted) {
    transfer->done(specs::Error(specs::ErrorKind::kInterrupted,
                                "not wanted any more: " + RedactUrl(transfer->request.url)));
  }
}

int CurlClient::Loop::MostTries(const Transfer& transfer, CURLcode code) const {
  const int most = transfer.request.max_tries > 0 ? transfer.request.max_tries : options.max_tries;
  return code == CURLE_OPERATION_TIMEDOUT ? std::min(most, kMostTimeouts) : most;
}

bool CurlClient::Loop::TryAgain(Transfer& transfer, CURLcode code) {
  if (transfer.failure || transfer.tries >= MostTries(transfer, code)) return false;
  const bool transient =
      code == CURLE_OK ? IsTransientStatus(transfer.response.status) : IsTransientCode(code);
  if (!transient) return false;
  if (transfer.delivered && !transfer.request.restart) return false;
  const double jitter = std::uniform_real_distribution<double>(0, 1)(random);
  const std::optional<std::uint64_t> wait =
      transfer.waits.Next(BackoffMs(transfer.tries + 1, options.backoff_ms, jitter),
                          RetryAfterMs(transfer.response.Header("Retry-After")));
  if (!wait) return false;
  transfer.due = Clock::now() + std::chrono::milliseconds(*wait);
  const std::string server = ServerOf(transfer.response.url);
  Tell({.server = server,
        .reason = code == CURLE_OK ? fmt::format("{} answers {}", server, transfer.response.status)
                                   : fmt::format("{}: {}", server, ReasonOf(transfer, code)),
        .milliseconds = *wait});
  return true;
}

void CurlClient::Loop::Tell(const HttpWait& wait) {
  if (!options.waiting || wait.milliseconds < options.noticed_ms) return;
  const Clock::time_point now = Clock::now();
  {
    std::lock_guard lock(told_mutex);
    Clock::time_point& until = told[wait.server];
    const Clock::time_point end = now + std::chrono::milliseconds(wait.milliseconds);
    if (end <= until + std::chrono::milliseconds(options.noticed_ms)) return;
    until = end;
  }
  options.waiting(wait);
}

void CurlClient::Loop::End(std::unique_ptr<Transfer> transfer, CURLcode code) {
  long status = 0;
  Lib().curl_easy_getinfo(transfer->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool is_file = transfer->request.url.starts_with("file:");
  if (is_file) {
    status = code == CURLE_FILE_COULDNT_READ_FILE ? 404 : 200;
    if (status == 404) code = CURLE_OK;
  }
  transfer->response.status = static_cast<int>(status);
  char* url = nullptr;
  Lib().curl_easy_getinfo(transfer->easy.get(), CURLINFO_EFFECTIVE_URL, &url);
  transfer->response.url = url != nullptr ? url : transfer->request.url;

  if (TryAgain(*transfer, code)) {
    waiting.push_back(std::move(transfer));
    return;
  }
  if (transfer->failure) {
    transfer->done(std::move(*transfer->failure));
  } else if (code != CURLE_OK) {
    std::string tries = transfer->tries > 1 ? fmt::format(" ({} tries)", transfer->tries) : "";
    transfer->done(
        specs::Error(fmt::format("could not fetch {}: {}{}", RedactUrl(transfer->request.url),
                                 ReasonOf(*transfer, code), tries))
            .Hint(LeftTls(*transfer, code) ? "" : HintFor(code)));
  } else {
    transfer->done(std::move(transfer->response));
  }
}

void CurlClient::Loop::AbortAll() {
  auto abort = [](Transfer& transfer) {
    transfer.done(specs::Error(
        specs::ErrorKind::kInterrupted,
        fmt::format("interrupted while fetching {}", RedactUrl(transfer.request.url))));
  };
  for (auto& [easy, transfer] : running) {
    Lib().curl_multi_remove_handle(multi, easy);
    abort(*transfer);
  }
  running.clear();
  for (auto& transfer : waiting) abort(*transfer);
  waiting.clear();
  std::deque<std::unique_ptr<Transfer>> taken;
  {
    std::lock_guard lock(mutex);
    taken.swap(incoming);
  }
  for (auto& transfer : taken) abort(*transfer);
}

CurlClient::CurlClient(CurlOptions options) {
  static const CurlGlobal global;
  loop_ = std::make_unique<Loop>(std::move(options));
}

CurlClient::~CurlClient() = default;

void CurlClient::Cancel() { loop_->Stop(); }

void CurlClient::Start(HttpRequest request, std::function<void(HttpResult)> done) {
  assert(request.tls == nullptr || request.redirects == RedirectPolicy::kReturn);
  auto transfer = std::make_unique<Transfer>();
  transfer->waits = RetryWaits(LimitsOf(request, loop_->options.waits));
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  {
    std::lock_guard lock(loop_->mutex);
    if (!loop_->stopping) loop_->incoming.push_back(std::exchange(transfer, nullptr));
  }
  if (transfer != nullptr) {
    transfer->done(specs::Error(specs::ErrorKind::kInterrupted, "interrupted"));
    return;
  }
  Lib().curl_multi_wakeup(loop_->multi);
}

void CurlClient::Wait(const HttpWait& wait) {
  loop_->Tell(wait);
  std::unique_lock lock(loop_->mutex);
  const bool stopped = loop_->stopped.wait_for(lock, std::chrono::milliseconds(wait.milliseconds),
                                               [this] { return loop_->stopping; });
  if (stopped) throw specs::Error(specs::ErrorKind::kInterrupted, "interrupted");
}

}  // namespace imgbuild::builder
