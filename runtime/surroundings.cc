#include "runtime/surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

// All files of one service; lives as long as its process, which has it alone.
char file_text[256 * 1024];
std::size_t file_text_size = 0;

// The content of a file, with a zero byte behind it; null with errno.
char* ReadWhole(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  char* const begin = file_text + file_text_size;
  ssize_t got = 0;
  while (file_text_size < sizeof file_text &&
         (got = read(fd, file_text + file_text_size, sizeof file_text - file_text_size)) > 0) {
    file_text_size += static_cast<std::size_t>(got);
  }
  const int error = file_text_size == sizeof file_text ? EFBIG : got < 0 ? errno : 0;
  close(fd);
  if (error != 0) {
    errno = error;
    return nullptr;
  }
  file_text[file_text_size++] = '\0';
  return begin;
}

// One of LF, CR LF or CR at the end.
void DropNewline(char* text) {
  std::size_t size = strlen(text);
  if (size > 0 && text[size - 1] == '\n') text[--size] = '\0';
  if (size > 0 && text[size - 1] == '\r') text[--size] = '\0';
}

// Of an env-file: those that set a variable.
template <typename Take>
void ForEachLine(char* text, const Take& take) {
  char* rest = text;
  while (char* line = strsep(&rest, "\n")) {
    DropNewline(line);
    if (*line == '#' || *line == '=' || strchr(line, '=') == nullptr) continue;
    take(line);
  }
}

// The variable that has the path of a file with the token.
FixedText<128> FileVariable(const ServiceEntry& service) {
  FixedText<128> variable;
  variable.Add(service.token).Add("_FILE");
  return variable;
}

bool SetLimits(const ServiceEntry& service, Failure& failure) {
  for (std::size_t i = 0; i < service.limits_size; ++i) {
    const LimitEntry& entry = service.limits[i];
    if (setrlimit(static_cast<__rlimit_resource_t>(entry.resource), &entry.limit) == 0) continue;
    failure = {"cannot set the limit", entry.name};
    return false;
  }
  return true;
}

bool ReadEnvFiles(const ServiceEntry& service, Failure& failure) {
  for (std::size_t i = 0; i < service.env_files_size; ++i) {
    const bool optional = *service.env_files[i] == '-';
    const char* path = service.env_files[i] + (optional ? 1 : 0);
    char* text = ReadWhole(path);
    if (text != nullptr) {
      AddLines(text);
    } else if (!optional || errno != ENOENT) {
      failure = {"cannot read the env-file", path};
      return false;
    }
  }
  return true;
}

// A secret may come as a variable, too.
bool ReadSecrets(const ServiceEntry& service, Failure& failure) {
  for (std::size_t i = 0; i < service.secrets_size; ++i) {
    const SecretEntry& secret = service.secrets[i];
    char* text = ReadWhole(secret.file);
    if (text != nullptr) {
      DropNewline(text);
      setenv(secret.variable, text, 1);
    } else if (errno != ENOENT || getenv(secret.variable) == nullptr) {
      failure = {"cannot read the secret", secret.file};
      return false;
    }
  }
  return true;
}

// The file with it in VARIABLE_FILE takes the variable's place.
bool ReadTokenFile(const ServiceEntry& service, Failure& failure) {
  const char* given = getenv(service.token);
  const char* path = getenv(FileVariable(service).data());
  if ((given != nullptr && *given != '\0') || path == nullptr || *path == '\0') return true;
  char* text = ReadWhole(path);
  if (text != nullptr) DropNewline(text);
  if (text != nullptr && *text == '\0') {
    // Servers take an empty one for leave to let everybody in.
    text = nullptr;
    errno = ENODATA;
  }
  if (text != nullptr && setenv(service.token, text, 1) == 0) return true;
  failure = {"cannot read the token", path};
  return false;
}

// As ReadWhole(), for who may not wait: null for what is no file.
char* ReadRegular(const char* path) {
  struct stat status {};
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? ReadWhole(path) : nullptr;
}

// Whether the variable will have a value that is not empty. Sources in the order in which a start
// reads them: the last counts.
bool IsGiven(const ServiceEntry& service, const char* variable) {
  const char* value = getenv(variable);
  const std::size_t size = strlen(variable);
  const auto consider = [&](const char* line) {
    if (strncmp(line, variable, size) == 0 && line[size] == '=') value = line + size + 1;
  };
  for (std::size_t i = 0; i < service.env_files_size; ++i) {
    const char* path = service.env_files[i];
    char* text = ReadRegular(path + (*path == '-' ? 1 : 0));
    if (text != nullptr) ForEachLine(text, consider);
  }
  for (std::size_t i = 0; i < service.env_size; ++i) consider(service.env[i]);
  for (std::size_t i = 0; i < service.secrets_size; ++i) {
    if (strcmp(service.secrets[i].variable, variable) != 0) continue;
    char* text = ReadRegular(service.secrets[i].file);
    if (text == nullptr) continue;
    DropNewline(text);
    value = text;
  }
  const bool given = value != nullptr && *value != '\0';
  file_text_size = 0;
  return given;
}

}  // namespace

bool HasToken(const ServiceEntry& service) {
  return IsGiven(service, service.token) || IsGiven(service, FileVariable(service).data());
}

void AddLines(char* text) {
  ForEachLine(text, [](char* line) { putenv(line); });
}

Failure EnterSurroundings(const ServiceEntry& service, const Identity* identity,
                          const char* token) {
  Failure failure;
  if (identity != nullptr) SayInEnvironment(*identity);
  if (!SetLimits(service, failure) || !ReadEnvFiles(service, failure)) return failure;
  // putenv keeps the pointers, which lead into memory of this process that exec replaces.
  for (std::size_t i = 0; i < service.env_size; ++i) putenv(const_cast<char*>(service.env[i]));
  if (!ReadSecrets(service, failure)) return failure;
  if (token != nullptr) {
    putenv(const_cast<char*>(token));
  } else if (service.token != nullptr && !ReadTokenFile(service, failure)) {
    return failure;
  }
  if (service.umask >= 0) umask(static_cast<mode_t>(service.umask));
  if (identity != nullptr && !Become(*identity)) return {"cannot become", service.user};
  if (service.dir != nullptr && chdir(service.dir) != 0) return {"cannot enter", service.dir};
  return {};
}

}  // namespace imgbuild::runtime
