#include "builder/share/http_target.h"

#include <mutex>
#include <utility>

#include <fmt/core.h>

#include "builder/share/action_result.h"
#include "builder/share/http_place.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/base/url.h"

namespace imgbuild::builder {

HttpTarget::HttpTarget(HttpClient& http, std::string_view url, std::vector<HttpHeader> headers)
    : http_(http),
      base_(specs::WithoutSlash(url)),
      name_(RedactUrl(base_)),
      headers_(std::move(headers)) {}

bool HttpTarget::Has(const OutgoingEntry& entry, const std::string& action) {
  const HttpResponse response =
      FetchAtHome(http_, {.url = fmt::format("{}/ac/{}", base_, ActionKey(entry.name).Hex()),
                          .headers = headers_,
                          .max_body = kLargestAction});
  if (response.status == 404) return false;
  if (response.status != 200) throw CacheRefused(name_, response);
  // Servers may add fields of their own.
  return ParseActionResult(response.body) == ParseActionResult(action);
}

bool HttpTarget::HasBlob(const EntryBlob& blob) {
  return FetchAtHome(http_, {.method = "HEAD",
                             .url = fmt::format("{}/cas/{}", base_, blob.digest.Hex()),
                             .headers = headers_})
             .status == 200;
}

void HttpTarget::Send(const std::string& path, HttpUpload upload) {
  std::vector<HttpHeader> headers = headers_;
  headers.push_back({"Content-Type", "application/octet-stream"});
  const HttpResponse response = FetchAtHome(http_, {.method = "PUT",
                                                    .url = base_ + path,
                                                    .headers = std::move(headers),
                                                    .upload = std::move(upload)});
  if (response.status < 200 || response.status > 299) throw CacheRefused(name_, response);
}

ExportResult HttpTarget::Put(const std::vector<OutgoingEntry>& entries) {
  ExportResult result{.place = name_};
  std::mutex mutex;
  layers::InParallel(entries.size(), kRequestsAtOnce, [&](std::size_t i) {
    const OutgoingEntry& entry = entries[i];
    const std::string action = RenderActionResult(entry.Entry());
    if (Has(entry, action)) return;
    for (const OutgoingBlob& blob : entry.blobs) {
      if (HasBlob(blob.blob)) continue;
      Send("/cas/" + blob.blob.digest.Hex(),
           {.bytes = {}, .file = blob.file, .offset = 0, .size = blob.blob.size, .progress = {}});
      const std::lock_guard lock(mutex);
      ++result.blobs;
      result.bytes_sent += blob.blob.size;
    }
    Send("/ac/" + ActionKey(entry.name).Hex(), {.bytes = action, .file = {}, .progress = {}});
    const std::lock_guard lock(mutex);
    ++result.entries;
    result.bytes_sent += action.size();
  });
  return result;
}

}  // namespace imgbuild::builder
