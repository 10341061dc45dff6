#pragma once
#include <curl/curl.h>

// Swift cannot call variadic functions: a typed face for each kind of option that is used.

static inline CURLcode tidings_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidings_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidings_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidings_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidings_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}

typedef size_t (*tidings_curl_read)(char *buffer, size_t size, size_t count, void *context);

static inline CURLcode tidings_curl_set_read(CURL *handle, tidings_curl_read callback) {
  return curl_easy_setopt(handle, CURLOPT_READFUNCTION, callback);
}

static inline CURLcode tidings_curl_set_write(CURL *handle, tidings_curl_read callback) {
  return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
}

typedef int (*tidings_curl_debug)(CURL *handle, curl_infotype type, char *data, size_t size, void *context);

static inline CURLcode tidings_curl_set_debug(CURL *handle, tidings_curl_debug callback) {
  return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, callback);
}

static inline CURLcode tidings_curl_get_long(CURL *handle, CURLINFO information, long *value) {
  return curl_easy_getinfo(handle, information, value);
}
