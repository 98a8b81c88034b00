// Writing to a server of the plain HTTP cache protocol (http_place.h): blobs first, then the entry,
// so that nobody finds one whose blobs are missing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/net/http_client.h"
#include "builder/share/cache_target.h"

namespace imgbuild::builder {

class HttpTarget : public CacheTarget {
 public:
  // As HttpPlace. Borrows the client.
  HttpTarget(HttpClient& http, std::string_view url, std::vector<HttpHeader> headers);

  const std::string& name() const override { return name_; }
  bool Keeps(EntryKind) const override { return true; }
  ExportResult Put(const std::vector<OutgoingEntry>& entries) override;

 private:
  bool Has(const OutgoingEntry& entry, const std::string& action);
  bool HasBlob(const EntryBlob& blob);
  void Send(const std::string& path, HttpUpload upload);

  HttpClient& http_;
  const std::string base_;
  const std::string name_;
  const std::vector<HttpHeader> headers_;
};

}  // namespace imgbuild::builder
