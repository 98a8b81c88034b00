#include "tests/support/fake_http.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "specs/base/error.h"

namespace imgbuild::support {
namespace {

using builder::HttpHeader;
using builder::HttpRequest;
using builder::HttpResponse;
using builder::HttpResult;

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

HttpResponse ServeRange(const std::string& content, const builder::ByteRange& range) {
  HttpResponse response;
  std::uint64_t first = range.first;
  std::uint64_t end =
      range.last ? std::min<std::uint64_t>(*range.last + 1, content.size()) : content.size();
  if (range.suffix) {
    first = content.size() - std::min<std::uint64_t>(range.first, content.size());
    end = content.size();
  }
  if (first >= end) {
    response.status = 416;
    response.headers.push_back({"Content-Range", "bytes */" + std::to_string(content.size())});
    return response;
  }
  response.status = 206;
  response.headers.push_back({"Content-Range", "bytes " + std::to_string(first) + "-" +
                                                   std::to_string(end - 1) + "/" +
                                                   std::to_string(content.size())});
  response.body = content.substr(first, end - first);
  return response;
}

// Gives the body to the request's sink, as a client does.
HttpResult Deliver(HttpResult result, const HttpRequest& request) {
  auto* response = std::get_if<HttpResponse>(&result);
  if (response == nullptr) return result;
  if (response->url.empty()) response->url = request.url;
  if (response->status / 100 != 2) return result;
  if (request.restart) request.restart();
  if (request.body != nullptr) {
    std::string body = std::exchange(response->body, "");
    try {
      if (request.head) request.head(*response);
      request.body->Write(body);
    } catch (specs::Error& error) {
      return std::move(error);
    }
    if (request.progress) request.progress(body.size());
  } else if (response->body.size() > request.max_body) {
    return specs::Error("the answer is larger than expected");
  }
  return result;
}

}  // namespace

void FakeHttp::Serve(const std::string& url, std::string body, std::vector<HttpHeader> headers) {
  On(url, [body = std::move(body), headers = std::move(headers)](const HttpRequest& request) {
    HttpResponse response;
    for (const HttpHeader& header : headers) {
      if (header.name == "ETag" && header.value == HeaderOf(request, "If-None-Match")) {
        response.status = 304;
        return HttpResult(response);
      }
    }
    if (request.range) {
      response = ServeRange(body, *request.range);
    } else {
      response.status = 200;
      if (request.method != "HEAD") response.body = body;
    }
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    response.headers.push_back({"Content-Length", std::to_string(body.size())});
    return HttpResult(response);
  });
}

void FakeHttp::On(const std::string& url, Answer answer) {
  std::lock_guard lock(mutex_);
  answers_[url] = std::move(answer);
}

void FakeHttp::Break(const std::string& url, const std::string& reason) {
  On(url, [reason](const HttpRequest& request) -> HttpResult {
    return specs::Error("cannot reach " + builder::RedactUrl(request.url)).Found(reason);
  });
}

void FakeHttp::BreakAll(const std::string& reason) {
  std::lock_guard lock(mutex_);
  broken_ = reason;
}

void FakeHttp::Remove(const std::string& url) {
  std::lock_guard lock(mutex_);
  answers_.erase(url);
}

void FakeHttp::Start(HttpRequest request, std::function<void(HttpResult)> done) {
  Answer answer;
  std::string broken;
  {
    std::lock_guard lock(mutex_);
    requests_.push_back({request.method, request.url, request.headers});
    broken = broken_;
    if (auto found = answers_.find(request.url); found != answers_.end()) answer = found->second;
  }
  if (!broken.empty()) {
    done(specs::Error("cannot reach " + builder::RedactUrl(request.url)).Found(broken));
    return;
  }
  if (!answer) {
    HttpResponse missing;
    missing.status = 404;
    missing.url = request.url;
    done(std::move(missing));
    return;
  }
  done(Deliver(answer(request), request));
}

std::vector<FakeHttp::Seen> FakeHttp::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void FakeHttp::ForgetRequests() {
  std::lock_guard lock(mutex_);
  requests_.clear();
}

int FakeHttp::Count(const std::string& url) const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(),
                                        [&](const Seen& seen) { return seen.url == url; }));
}

}  // namespace imgbuild::support
