#include "tests/support/mini_index.h"

#include <fmt/core.h>

#include "specs/base/digest.h"
#include "specs/base/text.h"
#include "specs/python/name.h"

namespace imgbuild::support {
namespace {

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

void Put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// The fields that local and central headers share, from "version needed" on.
std::string SharedFields(const std::string& name, const std::string& content) {
  std::string fields;
  Put(fields, 20, 2);
  Put(fields, 0, 2);
  Put(fields, 0, 2);  // stored
  Put(fields, 0, 4);  // time and date
  Put(fields, Crc32(content), 4);
  Put(fields, content.size(), 4);
  Put(fields, content.size(), 4);
  Put(fields, name.size(), 2);
  Put(fields, 0, 2);
  return fields;
}

std::string RenderMetadata(const std::string& name, const std::string& version,
                           const MiniMetadata& metadata, const std::string& metadata_version) {
  std::string text =
      fmt::format("Metadata-Version: {}\nName: {}\nVersion: {}\n", metadata_version, name, version);
  if (!metadata.requires_python.empty()) {
    text += fmt::format("Requires-Python: {}\n", metadata.requires_python);
  }
  for (const std::string& extra : metadata.provides_extra) {
    text += fmt::format("Provides-Extra: {}\n", extra);
  }
  for (const std::string& requirement : metadata.requires_dist) {
    text += fmt::format("Requires-Dist: {}\n", requirement);
  }
  return text + "\nThe description.\n";
}

// One file in a ustar archive, uncompressed: readers tell by the bytes, not by the name.
std::string MakeTar(const std::string& path, const std::string& content) {
  std::string header(512, '\0');
  path.copy(header.data(), 100);
  fmt::format("{:07o}", 0644).copy(header.data() + 100, 7);
  fmt::format("{:07o}", 0).copy(header.data() + 108, 7);
  fmt::format("{:07o}", 0).copy(header.data() + 116, 7);
  fmt::format("{:011o}", content.size()).copy(header.data() + 124, 11);
  fmt::format("{:011o}", 0).copy(header.data() + 136, 11);
  std::string(8, ' ').copy(header.data() + 148, 8);
  header[156] = '0';
  std::string(
      "ustar\0"
      "00",
      8)
      .copy(header.data() + 257, 8);
  unsigned sum = 0;
  for (char c : header) sum += static_cast<unsigned char>(c);
  fmt::format("{:06o}", sum).copy(header.data() + 148, 6);
  header[154] = '\0';
  std::string tar = header + content;
  tar.resize((tar.size() + 511) / 512 * 512 + 1024, '\0');
  return tar;
}

std::string FileSpelling(std::string name) {
  for (char& c : name) {
    if (c == '-' || c == '.') c = '_';
  }
  return name;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

ServedResponse NotFound() {
  ServedResponse response;
  response.status = 404;
  response.headers["content-type"] = "text/plain";
  response.body = "not found";
  return response;
}

}  // namespace

std::string MakeZip(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string zip;
  std::string directory;
  for (const auto& [name, content] : entries) {
    std::size_t offset = zip.size();
    std::string shared = SharedFields(name, content);
    zip += "PK\x03\x04" + shared + name + content;
    directory += "PK\x01\x02";
    Put(directory, 20, 2);
    directory += shared;
    Put(directory, 0, 2);  // comment
    Put(directory, 0, 2);  // disk
    Put(directory, 0, 2);  // internal attributes
    Put(directory, 0100644ull << 16, 4);
    Put(directory, offset, 4);
    directory += name;
  }
  std::size_t start = zip.size();
  zip += directory + "PK\x05\x06";
  Put(zip, 0, 4);
  Put(zip, entries.size(), 2);
  Put(zip, entries.size(), 2);
  Put(zip, directory.size(), 4);
  Put(zip, start, 4);
  Put(zip, 0, 2);
  return zip;
}

MiniFile& MiniIndex::AddFile(const std::string& project, MiniFile file) {
  return projects_[specs::NormalizeName(project)].emplace_back(std::move(file));
}

MiniFile& MiniIndex::AddWheel(const std::string& name, const std::string& version,
                              const MiniMetadata& metadata, const std::string& tags) {
  std::string stem = FileSpelling(name) + "-" + version;
  MiniFile file;
  file.filename = stem + "-" + tags + ".whl";
  file.content =
      MakeZip({{FileSpelling(name) + "/__init__.py", ""},
               {stem + ".dist-info/METADATA", RenderMetadata(name, version, metadata, "2.1")},
               {stem + ".dist-info/WHEEL", "Wheel-Version: 1.0\nTag: " + tags + "\n"},
               {stem + ".dist-info/RECORD", ""}});
  file.requires_python = metadata.requires_python;
  return AddFile(name, std::move(file));
}

MiniFile& MiniIndex::AddSdist(const std::string& name, const std::string& version,
                              const MiniMetadata& metadata, const std::string& metadata_version) {
  std::string stem = FileSpelling(name) + "-" + version;
  MiniFile file;
  file.filename = stem + ".tar.gz";
  file.content =
      MakeTar(stem + "/PKG-INFO", RenderMetadata(name, version, metadata, metadata_version));
  file.requires_python = metadata.requires_python;
  return AddFile(name, std::move(file));
}

ServedResponse MiniIndex::Answer(const ServedRequest& request) const {
  std::string_view target = request.target;
  const bool ours = target.starts_with("/simple/") || target.starts_with("/files/");
  if (!expected_authorization.empty() && ours) {
    auto given = request.headers.find("authorization");
    if (given == request.headers.end() || given->second != expected_authorization) {
      ServedResponse refused = NotFound();
      refused.status = 401;
      return refused;
    }
  }
  if (target.starts_with("/simple/")) {
    std::string name(target.substr(8));
    if (!name.ends_with('/')) {
      ServedResponse moved;
      moved.status = 301;
      moved.headers["location"] = request.target + "/";
      return moved;
    }
    name.pop_back();
    if (!projects_.contains(name)) return NotFound();
    auto etag = page_headers.find("etag");
    auto match = request.headers.find("if-none-match");
    if (etag != page_headers.end() && match != request.headers.end() &&
        etag->second == match->second) {
      ServedResponse same;
      same.status = 304;
      same.headers = page_headers;
      return same;
    }
    return Page(name);
  }
  if (!target.starts_with("/files/")) return NotFound();
  std::string_view wanted = target.substr(7);
  for (const auto& [project, files] : projects_) {
    for (const MiniFile& file : files) {
      if (wanted == file.filename) {
        if (ranges == Ranges::kHonoured) return ServeBytes(request, file.content);
        ServedResponse whole;
        whole.body = file.content;
        return whole;
      }
      if (file.metadata && wanted == file.filename + ".metadata") {
        return ServeBytes(request, *file.metadata);
      }
    }
  }
  return NotFound();
}

ServedResponse MiniIndex::Page(const std::string& project) const {
  ServedResponse response;
  response.headers = page_headers;
  bool json = form == Form::kJson;
  response.headers["content-type"] =
      json ? "application/vnd.pypi.simple.v1+json" : "text/html; charset=utf-8";
  response.body = json ? Json(project) : Html(project);
  return response;
}

std::string MiniIndex::Json(const std::string& project) const {
  std::string files;
  for (const MiniFile& file : projects_.at(project)) {
    if (!files.empty()) files += ",";
    files += fmt::format(
        "\n  {{\"filename\": {}, \"url\": \"{}{}\", \"hashes\": "
        "{{\"sha256\": \"{}\"}}",
        Quoted(file.filename), files_url, file.filename, specs::HashOf(file.content).Hex());
    if (says_sizes) files += fmt::format(", \"size\": {}", file.content.size());
    if (!file.requires_python.empty()) {
      files += ", \"requires-python\": " + Quoted(file.requires_python);
    }
    if (file.yanked) files += ", \"yanked\": " + Quoted(*file.yanked);
    if (!file.upload_time.empty()) files += ", \"upload-time\": " + Quoted(file.upload_time);
    if (file.metadata) {
      files += fmt::format(", \"core-metadata\": {{\"sha256\": \"{}\"}}",
                           specs::HashOf(*file.metadata).Hex());
    }
    files += "}";
  }
  return fmt::format(
      "{{\"meta\": {{\"api-version\": \"1.1\"}}, \"name\": {}, \"files\": [{}\n]}}\n",
      Quoted(project), files);
}

std::string MiniIndex::Html(const std::string& project) const {
  std::string links;
  for (const MiniFile& file : projects_.at(project)) {
    links += fmt::format("<a href=\"../../files/{}#sha256={}\"", file.filename,
                         specs::HashOf(file.content).Hex());
    if (!file.requires_python.empty()) {
      links += fmt::format(" data-requires-python=\"{}\"", Escaped(file.requires_python));
    }
    if (file.yanked) links += fmt::format(" data-yanked=\"{}\"", Escaped(*file.yanked));
    if (file.metadata) {
      links +=
          fmt::format(" data-core-metadata=\"sha256={}\"", specs::HashOf(*file.metadata).Hex());
    }
    links += fmt::format(">{}</a><br/>\n", file.filename);
  }
  return "<!DOCTYPE html>\n<html><body>\n" + links + "</body></html>\n";
}

FakeHttpClient::FakeHttpClient(LoopbackServer::Handler handler)
    : handler_(std::move(handler)), thread_([this] { Loop(); }) {}

FakeHttpClient::~FakeHttpClient() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void FakeHttpClient::Start(builder::HttpRequest request,
                           std::function<void(builder::HttpResult)> done) {
  std::lock_guard lock(mutex_);
  work_.push_back({std::move(request), std::move(done)});
  wake_.notify_all();
}

void FakeHttpClient::Loop() {
  while (true) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stopping_ || !work_.empty(); });
    if (work_.empty()) return;
    Work work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work.done(Run(work.request));
  }
}

builder::HttpResult FakeHttpClient::Run(const builder::HttpRequest& request) {
  std::string url = request.url;
  for (int redirects = 0; redirects < 5; ++redirects) {
    std::size_t path = url.find('/', url.find("://") + 3);
    ServedRequest asked{.method = request.method, .target = url.substr(path), .headers = {}};
    for (const builder::HttpHeader& header : request.headers) {
      asked.headers[specs::ToLower(header.name)] = header.value;
    }
    if (request.range) {
      asked.headers["range"] =
          request.range->suffix ? fmt::format("bytes=-{}", request.range->first)
          : request.range->last
              ? fmt::format("bytes={}-{}", request.range->first, *request.range->last)
              : fmt::format("bytes={}-", request.range->first);
    }
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(asked);
    }
    ServedResponse served = handler_(asked);
    if (served.status / 100 == 3 && served.headers.contains("location")) {
      url = url.substr(0, path) + served.headers["location"];
      continue;
    }
    builder::HttpResponse response;
    response.status = served.status;
    response.url = url;
    for (const auto& [name, value] : served.headers) response.headers.push_back({name, value});
    if (request.method == "HEAD") {
      response.headers.push_back({"Content-Length", std::to_string(served.body.size())});
      served.body.clear();
    }
    if (served.body.size() > request.max_body) return specs::Error("the body is too large");
    response.body = std::move(served.body);
    return response;
  }
  return specs::Error("too many redirects");
}

std::vector<ServedRequest> FakeHttpClient::Requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> FakeHttpClient::Asked() const {
  std::vector<std::string> paths;
  for (const ServedRequest& request : Requests()) {
    auto range = request.headers.find("range");
    paths.push_back(range == request.headers.end() ? request.target
                                                   : request.target + " " + range->second);
  }
  return paths;
}

}  // namespace imgbuild::support
