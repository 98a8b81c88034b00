// HOME, USER and LOGNAME for whatever uid the container was started with.
#pragma once

namespace imgbuild::runtime {

// Sets, in this process's environment:
//   USER, LOGNAME  the name of the uid in `passwd_file`, else "user"
//   HOME           as given if it is a directory that can be written; else the uid's home in
//                  `passwd_file` if that can; else a directory made below /tmp, and then also
//                  JUPYTER_RUNTIME_DIR, IPYTHONDIR and MPLCONFIGDIR below it, unless they are set
// A machine where nothing can be written leaves HOME alone.
void SetUserEnvironment(const char* passwd_file);

}  // namespace imgbuild::runtime
