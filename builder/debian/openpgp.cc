#include "builder/debian/openpgp.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <rnp/rnp.h>
#include <rnp/rnp_err.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/pipe.h"
#include "layers/io/shared_library.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::string_view kClearSignedHeader = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::uint64_t kLargestKeyFile = 64ull << 20;
constexpr int kDeadlineMs = 15'000;  // of one try
constexpr int kMostTries = 4;

struct LibRnp {
  layers::SharedLibrary library{"librnp.so.0", "librnp0"};
  IMGBUILD_BIND(rnp_buffer_destroy);
  IMGBUILD_BIND(rnp_ffi_create);
  IMGBUILD_BIND(rnp_ffi_destroy);
  IMGBUILD_BIND(rnp_get_public_key_count);
  IMGBUILD_BIND(rnp_import_keys);
  IMGBUILD_BIND(rnp_input_destroy);
  IMGBUILD_BIND(rnp_input_from_memory);
  IMGBUILD_BIND(rnp_key_get_fprint);
  IMGBUILD_BIND(rnp_key_get_primary_fprint);
  IMGBUILD_BIND(rnp_key_handle_destroy);
  IMGBUILD_BIND(rnp_op_verify_create);
  IMGBUILD_BIND(rnp_op_verify_destroy);
  IMGBUILD_BIND(rnp_op_verify_execute);
  IMGBUILD_BIND(rnp_op_verify_get_signature_at);
  IMGBUILD_BIND(rnp_op_verify_get_signature_count);
  IMGBUILD_BIND(rnp_op_verify_signature_get_handle);
  IMGBUILD_BIND(rnp_op_verify_signature_get_key);
  IMGBUILD_BIND(rnp_op_verify_signature_get_status);
  IMGBUILD_BIND(rnp_output_destroy);
  IMGBUILD_BIND(rnp_output_memory_get_buf);
  IMGBUILD_BIND(rnp_output_to_memory);
  IMGBUILD_BIND(rnp_result_to_string);
  IMGBUILD_BIND(rnp_signature_get_keyid);
  IMGBUILD_BIND(rnp_signature_handle_destroy);
};

const LibRnp& Lib() {
  static const LibRnp library;
  return library;
}

template <auto Destroy>
struct RnpDelete {
  template <typename T>
  void operator()(T* object) const {
    (Lib().*Destroy)(object);
  }
};
using Ffi = std::unique_ptr<rnp_ffi_st, RnpDelete<&LibRnp::rnp_ffi_destroy>>;
using Input = std::unique_ptr<rnp_input_st, RnpDelete<&LibRnp::rnp_input_destroy>>;
using Output = std::unique_ptr<rnp_output_st, RnpDelete<&LibRnp::rnp_output_destroy>>;
using VerifyOp = std::unique_ptr<rnp_op_verify_st, RnpDelete<&LibRnp::rnp_op_verify_destroy>>;
using Key = std::unique_ptr<rnp_key_handle_st, RnpDelete<&LibRnp::rnp_key_handle_destroy>>;
using Signature =
    std::unique_ptr<rnp_signature_handle_st, RnpDelete<&LibRnp::rnp_signature_handle_destroy>>;

// What the checking process answers.
struct Outcome {
  std::string problem;  // "" where the text is verified
  std::string text;
  std::string signers;  // primary fingerprints, separated by spaces
  std::string seen;     // every signature, for messages
};

// Makes the same calls for every kind of handle: `get` stores into a pointer that is then owned.
template <typename Owner, typename Get>
Owner Make(Get&& get) {
  typename Owner::pointer raw = nullptr;
  return get(&raw) == RNP_SUCCESS ? Owner(raw) : Owner();
}

template <typename Get>
std::string TextOf(Get&& get) {
  char* raw = nullptr;
  if (get(&raw) != RNP_SUCCESS || raw == nullptr) return "";
  std::string text(raw);
  Lib().rnp_buffer_destroy(raw);
  return text;
}

Input InputOf(std::string_view bytes) {
  return Make<Input>([&](rnp_input_t* input) {
    return Lib().rnp_input_from_memory(input, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                       bytes.size(), false);
  });
}

void AddSignature(rnp_op_verify_signature_t signature, Outcome& outcome) {
  rnp_result_t status = Lib().rnp_op_verify_signature_get_status(signature);
  Key key = Make<Key>(
      [&](rnp_key_handle_t* out) { return Lib().rnp_op_verify_signature_get_key(signature, out); });
  Signature handle = Make<Signature>([&](rnp_signature_handle_t* out) {
    return Lib().rnp_op_verify_signature_get_handle(signature, out);
  });
  std::string name;
  if (handle)
    name = TextOf([&](char** out) { return Lib().rnp_signature_get_keyid(handle.get(), out); });
  if (!outcome.seen.empty()) outcome.seen += ", ";
  outcome.seen += fmt::format("{} ({})", name.empty() ? "unknown key" : name,
                              status == RNP_ERROR_KEY_NOT_FOUND ? "not in the keyring"
                              : status == RNP_SUCCESS           ? "valid"
                                                      : Lib().rnp_result_to_string(status));
  if (status != RNP_SUCCESS || !key) return;
  std::string primary =
      TextOf([&](char** out) { return Lib().rnp_key_get_primary_fprint(key.get(), out); });
  if (primary.empty()) {
    primary = TextOf([&](char** out) { return Lib().rnp_key_get_fprint(key.get(), out); });
  }
  if (!outcome.signers.empty()) outcome.signers += ' ';
  outcome.signers += primary;
}

Outcome Check(std::string_view text, const std::vector<std::string>& key_files) {
  Outcome outcome;
  Ffi ffi = Make<Ffi>([](rnp_ffi_t* out) { return Lib().rnp_ffi_create(out, "GPG", "GPG"); });
  for (const std::string& bytes : key_files) {
    Input input = InputOf(bytes);
    rnp_result_t result = Lib().rnp_import_keys(
        ffi.get(), input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE, nullptr);
    if (result != RNP_SUCCESS) {
      outcome.problem =
          fmt::format("the keyring cannot be read: {}", Lib().rnp_result_to_string(result));
      return outcome;
    }
  }
  std::size_t keys = 0;
  Lib().rnp_get_public_key_count(ffi.get(), &keys);
  if (keys == 0) {
    outcome.problem = "the keyring holds no public key";
    return outcome;
  }

  Input input = InputOf(text);
  Output output =
      Make<Output>([](rnp_output_t* out) { return Lib().rnp_output_to_memory(out, 0); });
  VerifyOp verify = Make<VerifyOp>([&](rnp_op_verify_t* out) {
    return Lib().rnp_op_verify_create(out, ffi.get(), input.get(), output.get());
  });
  rnp_result_t result = Lib().rnp_op_verify_execute(verify.get());
  std::size_t count = 0;
  Lib().rnp_op_verify_get_signature_count(verify.get(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    rnp_op_verify_signature_t signature = nullptr;
    if (Lib().rnp_op_verify_get_signature_at(verify.get(), i, &signature) == RNP_SUCCESS) {
      AddSignature(signature, outcome);
    }
  }
  // Text without any signature counts as a success for the library, and on failure its output
  // still holds the text.
  if (result != RNP_SUCCESS || outcome.signers.empty()) {
    outcome.problem =
        result == RNP_SUCCESS ? "no valid signature" : Lib().rnp_result_to_string(result);
    return outcome;
  }
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  Lib().rnp_output_memory_get_buf(output.get(), &bytes, &size, false);
  outcome.text.assign(reinterpret_cast<const char*>(bytes), size);
  return outcome;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool WriteField(int fd, std::string_view field) {
  std::uint64_t size = field.size();
  return WriteAll(fd, {reinterpret_cast<const char*>(&size), sizeof(size)}) && WriteAll(fd, field);
}

// The library writes to stderr whatever it is told, and nothing else may happen to the stderr that
// other threads write to: so it runs in a process of its own, where stderr can be replaced.
[[noreturn]] void RunChild(int fd, pid_t parent, std::string_view text,
                           const std::vector<std::string>& key_files) {
  // Where the program is killed, this process goes too, and holds none of its streams open until
  // then: a script that waits for the end of our output would wait for it. The other descriptors
  // stay: the library's source of random numbers is one.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null < 0 || (fd != stream && ::dup2(null, stream) < 0)) ::_exit(1);
  }
  // Beside dup2: another thread may have held the lock of the old stream when we were forked.
  stderr = std::fopen("/dev/null", "w");
  Outcome outcome;
  try {
    outcome = Check(text, key_files);
  } catch (const std::exception& exception) {
    outcome.problem = exception.what();
  }
  bool written = stderr != nullptr;
  for (std::string_view field :
       {std::string_view(outcome.problem), std::string_view(outcome.text),
        std::string_view(outcome.signers), std::string_view(outcome.seen)}) {
    written = written && WriteField(fd, field);
  }
  ::_exit(written ? 0 : 1);
}

// Everything until the end, or what came until the deadline or the bound.
std::string ReadAnswer(int fd, std::size_t bound) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(kDeadlineMs);
  std::string answer;
  std::array<char, 65536> buffer;
  while (answer.size() <= bound) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) break;
    pollfd waiting{fd, POLLIN, 0};
    int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return answer;
}

bool TakeField(std::string_view& answer, std::string& field) {
  std::uint64_t size = 0;
  if (answer.size() < sizeof(size)) return false;
  std::memcpy(&size, answer.data(), sizeof(size));
  answer.remove_prefix(sizeof(size));
  if (answer.size() < size) return false;
  field = answer.substr(0, size);
  answer.remove_prefix(size);
  return true;
}

// Nullopt where the process gave no whole answer.
std::optional<Outcome> TryInChild(std::string_view text,
                                  const std::vector<std::string>& key_files) {
  layers::Pipe answers;
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw Error("cannot start a process").Found(std::strerror(errno));
  if (child == 0) RunChild(answers.writing.get(), parent, text, key_files);
  answers.writing.Reset();
  std::string answer = ReadAnswer(answers.reading.get(), text.size() + (1 << 20));
  ::kill(child, SIGKILL);  // it has answered, or never will
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }

  Outcome outcome;
  std::string_view rest = answer;
  if (!TakeField(rest, outcome.problem) || !TakeField(rest, outcome.text) ||
      !TakeField(rest, outcome.signers) || !TakeField(rest, outcome.seen)) {
    return std::nullopt;
  }
  return outcome;
}

// A fork of a program with threads may inherit a lock that nobody will release (seen with a
// sanitizer's allocator); the next fork is made at another instant.
Outcome CheckInChild(std::string_view text, const std::vector<std::string>& key_files) {
  Lib();  // here, since a fork should load nothing
  for (int i = 0; i < kMostTries; ++i) {
    if (std::optional<Outcome> outcome = TryInChild(text, key_files)) return *std::move(outcome);
  }
  return {.problem = "the check of the signature broke off", .text = "", .signers = "", .seen = ""};
}

}  // namespace

std::string Keyring::Describe() const {
  std::vector<std::string> paths;
  for (const std::filesystem::path& file : files) paths.push_back(file.string());
  return specs::Join(paths, ", ");
}

Keyring HostDebianKeyring() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (const char* whole : {"/usr/share/keyrings/debian-archive-keyring.gpg",
                            "/usr/share/keyrings/debian-archive-keyring.pgp"}) {
    if (fs::is_regular_file(whole, ignored)) return {{whole}};
  }
  Keyring keyring;
  for (const char* folder : {"/usr/share/keyrings", "/etc/apt/trusted.gpg.d"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
      std::string extension = entry.path().extension();
      if (!entry.path().filename().string().starts_with("debian-archive-")) continue;
      if (extension == ".gpg" || extension == ".asc" || extension == ".pgp") {
        keyring.files.push_back(entry.path());
      }
    }
    std::sort(keyring.files.begin(), keyring.files.end());
    if (!keyring.files.empty()) return keyring;
  }
  throw Error(ErrorKind::kVerification, "no keys of the Debian archive are on this machine")
      .Expected(
          "/usr/share/keyrings/debian-archive-keyring.gpg, or debian-archive-*.asc in "
          "/etc/apt/trusted.gpg.d")
      .Hint(
          "install the package debian-archive-keyring, or name a file of keys: "
          "system.keyring in the spec");
}

VerifiedText VerifyClearSigned(std::string_view text, const Keyring& keyring,
                               std::string_view what) {
  if (!text.starts_with(kClearSignedHeader)) {
    std::string_view first = text.substr(0, std::min<std::size_t>(text.find('\n'), 80));
    throw Error(ErrorKind::kVerification, fmt::format("{} is not a signed text", what))
        .Found(fmt::format("it begins with \"{}\"", first))
        .Expected(std::string(kClearSignedHeader))
        .Hint("something between here and the mirror answers instead of it, a login page perhaps");
  }
  std::vector<std::string> key_files;
  for (const std::filesystem::path& file : keyring.files) {
    key_files.push_back(layers::ReadFile(file, kLargestKeyFile));
  }
  Outcome outcome = CheckInChild(text, key_files);
  if (!outcome.problem.empty()) {
    throw Error(ErrorKind::kVerification,
                fmt::format("the signature of {} is not valid: {}", what, outcome.problem))
        .Found(outcome.seen.empty() ? "no signature" : "signed by " + outcome.seen)
        .Expected("a valid signature by a key of " + keyring.Describe())
        .Hint(
            "if the mirror is right and its keys are newer, update debian-archive-keyring or "
            "name a file of keys: system.keyring in the spec");
  }
  VerifiedText verified;
  verified.text = std::move(outcome.text);
  for (std::string_view signer : specs::SplitWords(outcome.signers)) {
    verified.signers.emplace_back(signer);
  }
  return verified;
}

}  // namespace imgbuild::builder
