#include "builder/net/curl_transfer.h"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "builder/net/redirect.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kMaxErrorBody = 64 * 1024;

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  Lib().curl_easy_setopt(easy, option, value);
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    transfer.response.headers.clear();  // a redirect's or a 100's headers are not the answer's
    return line.size();
  }
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  transfer.response.headers.push_back({std::string(specs::Trim(line.substr(0, colon))),
                                       std::string(specs::Trim(line.substr(colon + 1)))});
  return line.size();
}

// Throws Error where the bytes are not wanted; the caller turns that into the transfer's failure.
void Deliver(Transfer& transfer, std::string_view bytes) {
  const bool to_sink = transfer.request.body != nullptr && transfer.Success();
  const std::uint64_t limit = transfer.Success() ? transfer.request.max_body : kMaxErrorBody;
  if (!to_sink) {
    if (transfer.response.body.size() + bytes.size() > limit) {
      if (!transfer.Success()) return;  // an error page is cut, not an error of its own
      throw specs::Error(fmt::format("{} is larger than {}", RedactUrl(transfer.request.url),
                                     specs::HumanBytes(limit)));
    }
    transfer.response.body.append(bytes);
    return;
  }
  if (transfer.received == 0) {
    if (transfer.request.restart) {
      transfer.request.restart();
    } else if (transfer.delivered) {
      throw specs::Error(
          fmt::format("the connection broke while fetching {}", RedactUrl(transfer.request.url)));
    }
    if (transfer.request.head) transfer.request.head(transfer.response);
  }
  transfer.delivered = true;
  transfer.request.body->Write(std::as_bytes(std::span(bytes)));
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view bytes(data, size * count);
  try {
    long status = 0;
    Lib().curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = status == 0 ? 200 : static_cast<int>(status);  // file: has none
    Deliver(transfer, bytes);
  } catch (specs::Error& error) {
    transfer.failure = std::move(error);
    return 0;
  } catch (const std::exception& error) {
    transfer.failure = specs::Error(error.what());
    return 0;
  }
  transfer.received += bytes.size();
  if (transfer.request.progress) transfer.request.progress(transfer.received);
  return bytes.size();
}

void LimitStall(Transfer& transfer) {
  const bool out = !transfer.upload || transfer.upload->AtEnd();
  const std::uint64_t more = out ? transfer.request.patience_s : 0;
  Set(transfer.easy.get(), CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(transfer.stall_timeout_s + more));
}

std::size_t OnUpload(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  try {
    const std::size_t read = transfer.upload->Read({data, size * count});
    LimitStall(transfer);
    return read;
  } catch (specs::Error& error) {
    transfer.failure = std::move(error);
  } catch (const std::exception& error) {
    transfer.failure = specs::Error(error.what());
  }
  return CURL_READFUNC_ABORT;
}

// A connection that was closed while the body went out: curl would send it again on another, of
// which a request that allows one try must hear.
int OnSeek(void* user, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.request.max_tries == 1) return CURL_SEEKFUNC_FAIL;
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  transfer.upload->Seek(static_cast<std::uint64_t>(offset));
  LimitStall(transfer);
  return CURL_SEEKFUNC_OK;
}

// What curl has handed over counts as out, though the kernel may still hold it: there, too, a lost
// connection must show.
int OnSocket(void* user, curl_socket_t socket, curlsocktype) {
  const auto milliseconds =
      static_cast<unsigned>(static_cast<const Transfer*>(user)->stall_timeout_s * 1000);
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  return CURL_SOCKOPT_OK;
}

void AddHeader(Transfer& transfer, const char* line) {
  transfer.headers.reset(Lib().curl_slist_append(transfer.headers.release(), line));
}

bool SendsBody(const HttpRequest& request) {
  return request.upload || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

// A body's bytes and length. No "Expect: 100-continue": it costs a round trip, or a second where
// the server does not know it.
void PrepareUpload(Transfer& transfer) {
  CURL* easy = transfer.easy.get();
  transfer.upload.emplace(transfer.request.upload.value_or(HttpUpload()));
  Set(easy, CURLOPT_UPLOAD, 1L);
  Set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(transfer.upload->size()));
  Set(easy, CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
  Set(easy, CURLOPT_READFUNCTION, OnUpload);
  Set(easy, CURLOPT_READDATA, &transfer);
  Set(easy, CURLOPT_SEEKFUNCTION, OnSeek);
  Set(easy, CURLOPT_SEEKDATA, &transfer);
  AddHeader(transfer, "Expect:");
}

void PrepareTls(CURL* easy, const HttpTls& tls) {
  if (!tls.authorities.empty()) {
    curl_blob blob{.data = const_cast<char*>(tls.authorities.data()),  // copied, not changed
                   .len = tls.authorities.size(),
                   .flags = CURL_BLOB_COPY};
    Set(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (!tls.certificate.empty()) {
    Set(easy, CURLOPT_SSLCERT, tls.certificate.c_str());
  }
  if (!tls.key.empty()) Set(easy, CURLOPT_SSLKEY, tls.key.c_str());
  if (tls.check == TlsCheck::kSkip) {
    Set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    Set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

void PrepareTimeouts(Transfer& transfer, const CurlOptions& options) {
  CURL* easy = transfer.easy.get();
  const HttpRequest& request = transfer.request;
  transfer.stall_timeout_s =
      request.stall_timeout_s > 0 ? request.stall_timeout_s : options.stall_timeout_s;
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  Set(easy, CURLOPT_LOW_SPEED_LIMIT, 1000L);
  Set(easy, CURLOPT_SOCKOPTFUNCTION, OnSocket);
  Set(easy, CURLOPT_SOCKOPTDATA, &transfer);
  Set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  Set(easy, CURLOPT_TCP_KEEPINTVL, 10L);
}

void SetAll(Transfer& transfer, const CurlOptions& options) {
  CURL* easy = transfer.easy.get();
  const HttpRequest& request = transfer.request;
  Set(easy, CURLOPT_URL, request.url.c_str());
  Set(easy, CURLOPT_ERRORBUFFER, transfer.error_text);
  Set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https,file");
  // What was asked for over TLS is not to be had from whoever answers without.
  Set(easy, CURLOPT_REDIR_PROTOCOLS_STR, HasTls(request.url) ? "https" : "http,https");
  Set(easy, CURLOPT_FOLLOWLOCATION, request.redirects == RedirectPolicy::kFollow ? 1L : 0L);
  Set(easy, CURLOPT_MAXREDIRS, 10L);
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  Set(easy, CURLOPT_PIPEWAIT, 1L);
  Set(easy, CURLOPT_BUFFERSIZE, 512L * 1024);
  PrepareTimeouts(transfer, options);
  Set(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  Set(easy, CURLOPT_HEADERDATA, &transfer);
  Set(easy, CURLOPT_WRITEFUNCTION, OnBody);
  Set(easy, CURLOPT_WRITEDATA, &transfer);
  if (!options.ca_file.empty()) Set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  if (!options.ca_directory.empty()) {
    Set(easy, CURLOPT_CAPATH, options.ca_directory.c_str());
  }
  if (!options.netrc_file.empty() && request.credentials == CredentialPolicy::kNetrc) {
    Set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
    Set(easy, CURLOPT_NETRC_FILE, options.netrc_file.c_str());
  }
  if (request.method == "HEAD") {
    Set(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    Set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (request.range) Set(easy, CURLOPT_RANGE, RangeText(*request.range).c_str());
  if (request.tls != nullptr) PrepareTls(easy, *request.tls);
  for (const HttpHeader& header : request.headers) {
    AddHeader(transfer, (header.name + ": " + header.value).c_str());
  }
  if (SendsBody(request)) PrepareUpload(transfer);
  LimitStall(transfer);
  Set(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
}

}  // namespace

const LibCurl& Lib() {
  static const LibCurl library;
  return library;
}

void PrepareTry(Transfer& transfer, const CurlOptions& options) {
  transfer.easy.reset(Lib().curl_easy_init());
  transfer.headers.reset();
  transfer.response = {};
  transfer.received = 0;
  transfer.error_text[0] = '\0';
  ++transfer.tries;
  SetAll(transfer, options);
}

}  // namespace imgbuild::builder
