// imgbuild-init: the entrypoint of images, /usr/lib/imgbuild/init.
//
//   init                          the services of the table; without any, the image's shell
//   init COMMAND...               COMMAND instead of the services
//   init --with-services COMMAND  both; ends with COMMAND
//   init --table FILE ...         another table than /etc/imgbuild/services; first argument only
//   init status, restart NAME, ...  asks the supervisor that runs (runtime/client.h)

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/client.h"
#include "runtime/service_table.h"
#include "runtime/supervisor.h"
#include "runtime/table_file.h"
#include "runtime/text.h"
#include "runtime/user_environment.h"

namespace imgbuild::runtime {
namespace {

TableFile table_file;
ServiceTable no_services;

int Complain(const char* what, const char* why) {
  FixedText<600> line;
  line.Add("imgbuild-init: ").Add(what).Add(": ").Add(why).Add("\n");
  [[maybe_unused]] ssize_t ignored = write(2, line.data(), line.size());
  return 125;
}

// Descriptors 0 to 2 that are closed would be taken by the next that is opened.
void FillStandardDescriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) open("/dev/null", O_RDWR);
  }
}

int Run(int argc, char** argv) {
  if (IsControlVerb(argc, argv)) return RunControlVerb(argc, argv);
  FillStandardDescriptors();
  int next = 1;
  const char* path = kServiceTablePath;
  if (argc > 2 && strcmp(argv[1], "--table") == 0) {
    path = argv[2];
    next = 3;
  }
  FixedText<300> why;
  if (!table_file.Read(path, why)) return Complain("the service table", why.data());
  const ServiceTable& table = table_file.table();
  bool with_services = false;
  if (next < argc && strcmp(argv[next], "--with-services") == 0) {
    with_services = true;
    ++next;
  }
  const char* const* command = next < argc ? argv + next : nullptr;  // of any length
  if (command == nullptr && (with_services || table.size == 0) && table.shell.size > 0) {
    command = table.shell.argv;
  }
  if (command == nullptr && table.size == 0) return Complain("nothing to run", "no command given");

  SetUserEnvironment("/etc/passwd");
  const bool services = with_services || command == nullptr;
  static Supervisor supervisor(services ? table : no_services, path, command);
  return supervisor.Run();
}

}  // namespace
}  // namespace imgbuild::runtime

int main(int argc, char** argv) { return imgbuild::runtime::Run(argc, argv); }
