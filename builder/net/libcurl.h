// libcurl, loaded when the first client is made; for this folder's own sources alone.
#pragma once

#include <curl/curl.h>

#include "layers/io/shared_library.h"

namespace imgbuild::builder {

struct LibCurl {
  layers::SharedLibrary library{"libcurl.so.4", "libcurl4"};
  IMGBUILD_BIND(curl_easy_cleanup);
  IMGBUILD_BIND(curl_easy_getinfo);
  IMGBUILD_BIND(curl_easy_init);
  IMGBUILD_BIND(curl_easy_setopt);
  IMGBUILD_BIND(curl_easy_strerror);
  IMGBUILD_BIND(curl_global_cleanup);
  IMGBUILD_BIND(curl_global_init);
  IMGBUILD_BIND(curl_multi_add_handle);
  IMGBUILD_BIND(curl_multi_cleanup);
  IMGBUILD_BIND(curl_multi_info_read);
  IMGBUILD_BIND(curl_multi_init);
  IMGBUILD_BIND(curl_multi_perform);
  IMGBUILD_BIND(curl_multi_poll);
  IMGBUILD_BIND(curl_multi_remove_handle);
  IMGBUILD_BIND(curl_multi_setopt);
  IMGBUILD_BIND(curl_multi_wakeup);
  IMGBUILD_BIND(curl_slist_append);
  IMGBUILD_BIND(curl_slist_free_all);
};

// Never unloaded. Throws Error where the library is missing.
const LibCurl& Lib();

}  // namespace imgbuild::builder
