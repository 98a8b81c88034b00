#include "builder/base/base_state.h"

#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "builder/state/certificate.h"
#include "builder/state/certificates.h"
#include "builder/state/state_files.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using layers::BaseImage;

constexpr std::string_view kBundle = "/etc/ssl/certs/ca-certificates.crt";

struct Account {
  std::string name;
  std::string uid;
};

std::vector<Account> Accounts(std::string_view passwd) {
  std::vector<Account> accounts;
  for (std::string_view line : specs::Split(passwd, '\n')) {
    const std::vector<std::string_view> fields = specs::Split(line, ':');
    if (fields.size() >= 3) accounts.push_back({std::string(fields[0]), std::string(fields[2])});
  }
  return accounts;
}

bool Has(const std::vector<Account>& accounts, std::string Account::*field,
         std::string_view value) {
  for (const Account& account : accounts) {
    if (account.*field == value) return true;
  }
  return false;
}

// The base's file with a line more, with its own mode and owner, where it lies.
void AddLine(const BaseImage& base, std::string_view path, std::string_view line,
             StateFiles& files) {
  const std::string* content = base.Content(path);
  std::string text = content != nullptr ? *content : "";
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += line;
  layers::Node node;
  const std::string place = base.Resolve(path).value_or(std::string(path.substr(1)));
  if (const layers::FileFacts* file = base.File(place)) node = file->node;
  files.AddFile(place, std::move(text), node.mode, node.uid, node.gid);
}

void AddUser(const BaseStateInput& input, StateFiles& files) {
  const BaseImage& base = input.base;
  const std::string* passwd = base.Content("/etc/passwd");
  const std::vector<Account> accounts = Accounts(passwd != nullptr ? *passwd : "");
  if (Has(accounts, &Account::uid, std::to_string(kUserId))) return;
  std::string name(kUserName);
  if (Has(accounts, &Account::name, name)) name += std::to_string(kUserId);
  std::string_view shell = "/usr/sbin/nologin";
  for (std::string_view each : {"/bin/bash", "/bin/sh"}) {
    if (!base.Resolve(each)) continue;
    shell = each;
    break;
  }
  const bool shadowed = base.Content("/etc/shadow") != nullptr;
  AddLine(base, "/etc/passwd",
          fmt::format("{}:{}:{}:0::{}:{}\n", name, shadowed ? "x" : "*", kUserId, kUserHome, shell),
          files);
  // 3652 is 1980-01-01 in days, the time of all that is made here.
  if (shadowed) AddLine(base, "/etc/shadow", name + ":!:3652:0:99999:7:::\n", files);
  files.AddDirectory(kUserHome.substr(1), 0775, kUserId, 0);
}

void AddWorkdir(const BaseStateInput& input, StateFiles& files) {
  const std::optional<std::string> path = layers::CanonicalPath(input.workdir);
  if (!path || !input.workdir.starts_with('/')) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("image.workdir is \"{}\"", input.workdir))
        .Expected("an absolute path without \"..\"");
  }
  if (path->empty() || files.Find(*path) != nullptr || input.base.Resolve(input.workdir)) return;
  files.AddDirectory(*path, 0775, kUserId, 0);
}

void AddTimezone(const BaseStateInput& input, StateFiles& files) {
  if (!input.timezone) return;
  const std::string zone = fmt::format("/usr/share/zoneinfo/{}", *input.timezone);
  if (input.base.Resolve(zone)) {
    files.AddLink("etc/localtime", zone);
    return;
  }
  files.Warn(
      fmt::format("the base image has no {} (tzdata): TZ works only where programs bring "
                  "time zones of their own",
                  zone));
}

// The next name that OpenSSL looks a certificate of this subject up by.
std::string HashName(const BaseImage& base, const StateFiles& files, std::uint32_t hash) {
  for (int number = 0;; ++number) {
    std::string name = fmt::format("etc/ssl/certs/{:08x}.{}", hash, number);
    if (base.File(name) == nullptr && files.Find(name) == nullptr) return name;
  }
}

void AddCertificates(const BaseStateInput& input, StateFiles& files) {
  if (input.certificates.empty()) return;
  if (input.base.Content(kBundle) == nullptr) {
    throw specs::Error("the spec has certificates, but the base image has no CA bundle")
        .Expected(std::string(kBundle))
        .Hint("build on an image that has ca-certificates installed");
  }
  std::string added;
  for (const CertificateFile& file : LocalCertificates(input.certificates)) {
    files.AddFile(file.path, file.text);
    const std::string pem = PemName(file.path);
    files.AddLink("etc/ssl/certs/" + pem, "/" + file.path);
    files.AddLink(HashName(input.base, files, ReadCertificates(file.text, pem)[0].subject_hash),
                  pem);
    added += file.text;
    if (!added.ends_with('\n')) added += '\n';
  }
  AddLine(input.base, kBundle, added, files);
}

}  // namespace

SystemState MakeBaseState(const BaseStateInput& input) {
  StateFiles files;
  AddUser(input, files);
  AddWorkdir(input, files);
  AddTimezone(input, files);
  AddCertificates(input, files);
  SystemState state;
  state.files = files.TakeTree();
  state.warnings = files.TakeWarnings();
  return state;
}

}  // namespace imgbuild::builder
