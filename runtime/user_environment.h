// HOME, USER and LOGNAME for whatever uid the container was started with.
#pragma once

namespace imgbuild::runtime {

// Sets, in this process's environment:
//   USER, LOGNAME  the name of the uid in `passwd_file`, else "user"
//   HOME           as given if it is a directory that can be written; else the uid's home in
//                  `passwd_file`, else /home/user, if that can; else a directory made below /tmp,
//                  and then also JUPYTER_RUNTIME_DIR, IPYTHONDIR and MPLCONFIGDIR below it, unless
//                  they are set; with links there to what a build made for matplotlib
// For a foreign uid engines add an entry named like the number, whose home is the working
// directory: that is nobody's wish, and the user's notebooks are no place for settings, so it
// counts as none. A machine where nothing can be written leaves HOME alone.
void SetUserEnvironment(const char* passwd_file);

}  // namespace imgbuild::runtime
