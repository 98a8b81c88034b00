#include "builder/assemble/pyc_worker.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/assemble/confined_process.h"
#include "layers/io/pipe.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// What the process runs. Numbers are little-endian 32-bit. A request is a count, then for each
// source the lengths of name and text, the time, name, text. An answer is for each source the
// length of its .pyc, or 0xFFFFFFFF where it does not compile, and the .pyc itself. The form of the
// .pyc is the one of py_compile's timestamp mode (PEP 552).
//
// The bytes must depend on the source alone, whatever was compiled before. Two things are in the
// way. marshal writes a reference where an object has other users, among them names that a module
// imported meanwhile has interned (codecs, unicodedata): so each request is compiled in a fork of a
// process that never compiled anything. And CPython copies a frozenset constant ("x in {'a', 'b'}")
// where an equal string was interned by an earlier source: so each is made anew.
//
// The parser calls its limit of nesting MemoryError: that is the source's fault, unless memory
// really is short, which no result may depend on.
constexpr char kProgram[] = R"python(
import marshal, os, sys
from importlib.util import MAGIC_NUMBER
from operator import is_not
from types import CodeType
def settled(value):
    if type(value) is frozenset:
        return frozenset(list(value))
    if type(value) is CodeType:
        constants = [settled(constant) for constant in value.co_consts]
        if any(map(is_not, constants, value.co_consts)):
            return value.replace(co_consts=tuple(constants))
    return value
def compiled(name, text, mtime):
    try:
        code = settled(compile(text, name, "exec", dont_inherit=True, optimize=0))
        size = len(text) & 0xFFFFFFFF
        return b"".join((MAGIC_NUMBER, bytes(4), mtime.to_bytes(4, "little"),
                         size.to_bytes(4, "little"), marshal.dumps(code)))
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        return None
    except MemoryError:
        bytearray(256 << 20)
        return None
def answer(count):
    read, write = open(0, "rb", closefd=False).read, sys.stdout.buffer.write
    number = lambda: int.from_bytes(read(4), "little")
    for _ in range(count):
        name_size, text_size, mtime = number(), number(), number()
        name = read(name_size).decode("utf-8", "surrogateescape")
        result = compiled(name, read(text_size), mtime)
        write((0xFFFFFFFF if result is None else len(result)).to_bytes(4, "little"))
        if result is not None:
            write(result)
    sys.stdout.buffer.flush()
while True:
    head = b""
    while len(head) < 4:
        part = os.read(0, 4 - len(head))
        if not part:
            os._exit(0)
        head += part
    child = os.fork()
    if child == 0:
        status = 1
        try:
            answer(int.from_bytes(head, "little"))
            status = 0
        finally:
            os._exit(status)
    if os.waitpid(child, 0)[1] != 0:
        os._exit(1)
)python";

constexpr std::uint32_t kNotCompiled = 0xFFFFFFFF;

void AppendNumber(std::string& out, std::uint64_t number) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

struct LinkerNames {
  std::string_view linker;
  std::string_view libraries;
};

LinkerNames NamesFor(specs::Architecture architecture) {
  switch (architecture) {
    case specs::Architecture::kAmd64:
      return {"ld-linux-x86-64.so.2", "x86_64-linux-gnu"};
    case specs::Architecture::kArm64:
      return {"ld-linux-aarch64.so.1", "aarch64-linux-gnu"};
  }
  return {};
}

std::string RenderRequest(std::span<const layers::PycSource> sources) {
  std::string request;
  std::size_t size = 4;
  for (const layers::PycSource& source : sources) {
    size += 12 + source.co_filename.size() + source.bytes.size();
  }
  request.reserve(size);
  AppendNumber(request, sources.size());
  for (const layers::PycSource& source : sources) {
    AppendNumber(request, source.co_filename.size());
    AppendNumber(request, source.bytes.size());
    AppendNumber(request, source.mtime);
    request.append(source.co_filename).append(source.bytes);
  }
  return request;
}

class AnswerParser {
 public:
  explicit AnswerParser(std::size_t expected) : expected_(expected) {}

  bool Complete() const { return results_.size() == expected_; }

  void Add(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t at = 0;
    while (!Complete() && pending_.size() - at >= 4) {
      const std::uint32_t length = NumberAt(at);
      if (length == kNotCompiled) {
        results_.emplace_back(std::nullopt);
        at += 4;
        continue;
      }
      if (pending_.size() - at - 4 < length) break;
      results_.emplace_back(pending_.substr(at + 4, length));
      at += 4 + length;
    }
    pending_.erase(0, at);
  }

  std::vector<std::optional<std::string>> Take() { return std::move(results_); }

 private:
  std::uint32_t NumberAt(std::size_t at) const {
    std::uint32_t number = 0;
    for (std::size_t i = 4; i-- > 0;) {
      number = number << 8 | static_cast<unsigned char>(pending_[at + i]);
    }
    return number;
  }

  const std::size_t expected_;
  std::string pending_;
  std::vector<std::optional<std::string>> results_;
};

specs::Error Broken(const char* what) {
  return specs::Error(fmt::format("the Python that compiles .pyc files {}", what))
      .Hint("python.compile = \"none\" builds without .pyc files");
}

specs::Error MustBeConfined(const std::string& why) {
  return specs::Error(
             specs::ErrorKind::kVerification,
             "the Python in the lock that compiles .pyc files is in no signed package list, "
             "and this machine cannot run it confined")
      .Found(why)
      .Expected("packages of the Debian archive, or user namespaces")
      .Hint(
          "lock again: imgbuild lock; where the archive is signed by keys of your own, name them "
          "in "
          "your configuration (debian.keyring); or build without .pyc files: python.compile = "
          "\"none\"");
}

}  // namespace

PycWorker::PycWorker(const PythonTree& tree) {
  const LinkerNames names = NamesFor(tree.architecture);
  const auto program = [&](const std::string& root) -> std::vector<std::string> {
    const std::string libraries = fmt::format("{}/usr/lib/{}", root, names.libraries);
    return {fmt::format("/usr/lib/{}/{}", names.libraries, names.linker),
            "--library-path",
            libraries,
            fmt::format("{}/usr/bin/python{}", root, tree.version),
            "-I",
            "-S",
            "-B",
            "-W",
            "ignore",
            "-c",
            kProgram};
  };
  layers::Pipe in, out;
  to_ = std::move(in.writing);
  from_ = std::move(out.reading);
  fcntl(to_.get(), F_SETPIPE_SZ, 1 << 20);
  fcntl(from_.get(), F_SETPIPE_SZ, 1 << 20);
  ConfinedProgram run{.root = fs::absolute(tree.root),
                      .words = program(""),
                      .input = in.reading.get(),
                      .output = out.writing.get()};
  StartedProcess started = StartConfined(run, Confinement::kConfined);
  if (!started.failure.empty()) {
    if (tree.trust == TreeTrust::kNone) throw MustBeConfined(started.failure);
    run.words = program(run.root == "/" ? "" : run.root.string());
    started = StartConfined(run, Confinement::kLimited);
  }
  if (!started.failure.empty()) {
    throw Broken("does not run").Found(started.failure).In(tree.root.string());
  }
  pid_ = started.pid;
  fcntl(to_.get(), F_SETFL, O_NONBLOCK);
}

PycWorker::~PycWorker() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);  // it has answered, or never will
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::vector<std::optional<std::string>> PycWorker::Compile(
    std::span<const layers::PycSource> sources) {
  const std::string request = RenderRequest(sources);
  AnswerParser answers(sources.size());
  std::size_t sent = 0;
  std::string buffer(256 * 1024, '\0');
  // Both directions at once: neither pipe may fill while the other side waits.
  while (!answers.Complete()) {
    pollfd waiting[2] = {{from_.get(), POLLIN, 0},
                         {sent < request.size() ? to_.get() : -1, POLLOUT, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) throw Broken(std::strerror(errno));
    if (waiting[1].revents != 0) {
      const ssize_t written = write(to_.get(), request.data() + sent, request.size() - sent);
      if (written < 0 && errno != EAGAIN && errno != EINTR) throw Broken("ended early");
      if (written > 0) sent += static_cast<std::size_t>(written);
    }
    if (waiting[0].revents == 0) continue;
    const ssize_t got = read(from_.get(), buffer.data(), buffer.size());
    if (got == 0) throw Broken("ended early");
    if (got < 0 && errno != EINTR) throw Broken(std::strerror(errno));
    if (got > 0) answers.Add(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
  }
  return answers.Take();
}

}  // namespace imgbuild::builder
