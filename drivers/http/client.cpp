#include "drivers/http/client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "drivers/http/addresses.h"
#include "gateway/core/text.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::http {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  static_cast<void>(list.release());
  list.reset(longer);
}

/// Once, before the first handle; never undone, as other threads may be in it.
bool library_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

Errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timed_out;
    case CURLE_ABORTED_BY_CALLBACK:
      return Errc::stopped;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
      return Errc::full;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
      return Errc::interrupted;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_TOO_MANY_REDIRECTS:
      return Errc::invalid;
    default:
      return Errc::unavailable;
  }
}

Error not_allowed(const std::string& where, const std::string& address) {
  return {Errc::invalid,
          fmt::format("{}: not asked: it leads to {}, where this machine, its cable or its cloud answers "
                      "and no device of the plant; if one does, set 'allow_link_local: true'",
                      where, address)};
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_header(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) { return a == lower(b); });
}

/// Retry-After in seconds. Its other form, a date, is by a clock that may differ from this one.
std::optional<Micros> retry_after(const std::string& value) {
  constexpr std::chrono::seconds kLongest = std::chrono::hours(1);
  if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  if (value.size() > 9) return kLongest;
  return std::min(kLongest, std::chrono::seconds(std::stol(value)));
}

}  // namespace

/// curl's handle, and what it is filled with.
struct Client::Transfer {
  struct FreeHandle {
    void operator()(CURL* made) const { curl_easy_cleanup(made); }
  };

  std::unique_ptr<CURL, FreeHandle> handle{library_ready() ? curl_easy_init() : nullptr};
  std::array<char, CURL_ERROR_SIZE> words{};
  List headers;
  Answer answer;
  std::optional<Timestamp> certificate_ends;
  std::size_t most = 0;
  bool too_large = false;
  bool allow_link_local = false;
  std::string refused;  ///< an address that is not allowed
  const std::stop_token* stop = nullptr;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle.get(), option, value);
  }
  void set_text(CURLoption option, const std::string& text) {
    if (!text.empty()) set(option, text.c_str());
  }

  void prepare(const RequestOptions& options);
  void prepare_tls(const config::ClientTls& tls);
  void prepare_auth(const Auth& auth);
  void prepare_body(const RequestOptions& options);
  void look_at_certificate();

  static std::size_t take_body(char* bytes, std::size_t, std::size_t size, void* self);
  static std::size_t take_header(char* bytes, std::size_t, std::size_t size, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address);
  static int is_stopped(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
};

std::size_t Client::Transfer::take_body(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.answer.body.size() + size > transfer.most) {
    transfer.too_large = true;
    return 0;
  }
  transfer.answer.body.append(bytes, size);
  return size;
}

std::size_t Client::Transfer::take_header(char* bytes, std::size_t, std::size_t size, void* self) {
  constexpr std::size_t kLongest = 1024;
  Answer& answer = static_cast<Transfer*>(self)->answer;
  const std::string_view line(bytes, size);
  if (line.starts_with("HTTP/")) answer = {};  // of an answer that was a redirect nothing holds
  const auto value = [&] { return std::string(trim(line.substr(line.find(':') + 1)).substr(0, kLongest)); };
  if (is_header(line, "etag")) answer.version.etag = value();
  if (is_header(line, "last-modified")) answer.version.modified = value();
  if (is_header(line, "content-type")) answer.content_type = value();
  if (is_header(line, "retry-after")) answer.retry_after = retry_after(value());
  return size;
}

/// For each address that curl connects to, so for that of a redirect too, and for what a name has come to mean.
curl_socket_t Client::Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.allow_link_local && is_link_local(address->addr)) {
    transfer.refused = in_words(address->addr);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Client::Transfer::is_stopped(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(self)->stop->stop_requested() ? 1 : 0;
}

void Client::Transfer::prepare_tls(const config::ClientTls& tls) {
  set_text(CURLOPT_CAINFO, tls.ca);
  if (!tls.ca.empty()) set(CURLOPT_CAPATH, nullptr);  // those of the system are none then
  set_text(CURLOPT_SSLCERT, tls.certificate);
  set_text(CURLOPT_SSLKEY, tls.key);
  set_text(CURLOPT_KEYPASSWD, tls.key_password);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  set(CURLOPT_CERTINFO, 1L);
  set(CURLOPT_MAXLIFETIME_CONN, 86'400L);  // a day: a server shows its certificate when it is connected to
}

void Client::Transfer::prepare_auth(const Auth& auth) {
  if (!auth.user.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set_text(CURLOPT_USERNAME, auth.user);
    set_text(CURLOPT_PASSWORD, auth.password);
  }
  if (!auth.token.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    set_text(CURLOPT_XOAUTH2_BEARER, auth.token);
  }
}

void Client::Transfer::prepare_body(const RequestOptions& options) {
  if (options.method == "GET") {
    set(CURLOPT_HTTPGET, 1L);
    return;
  }
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(options.body.size()));
  set(CURLOPT_POSTFIELDS, options.body.data());  // it outlives the handle
  if (options.method != "POST") set(CURLOPT_CUSTOMREQUEST, options.method.c_str());
}

void Client::Transfer::prepare(const RequestOptions& options) {
  const bool secure = options.url.starts_with("https");
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_URL, options.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, options.redirects > 0 ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, static_cast<long>(options.redirects));
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);  // no alarm in a program of many threads; it ignores SIGPIPE itself
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count() / 1000));
  set(CURLOPT_USERAGENT, "tidegate");
  set(CURLOPT_ACCEPT_ENCODING, "");  // all that curl can undo
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.max_bytes));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, is_stopped);
  set(CURLOPT_XFERINFODATA, this);
  most = options.max_bytes;
  allow_link_local = options.allow_link_local;
  prepare_tls(options.tls);
  prepare_auth(options.auth);
  prepare_body(options);
}

/// A connection that was open already brings nothing new.
void Client::Transfer::look_at_certificate() {
  constexpr std::string_view kEnd = "Expire date:";
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(handle.get(), CURLINFO_CERTINFO, &chain) != CURLE_OK) return;
  if (chain == nullptr || chain->num_of_certs < 1) return;
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    if (!std::string_view(line->data).starts_with(kEnd)) continue;
    const std::time_t end = curl_getdate(line->data + kEnd.size(), nullptr);
    if (end > 0) certificate_ends = Timestamp{std::chrono::seconds(end)};
  }
}

Client::Client(RequestOptions options) : options_(std::move(options)) {}
Client::~Client() = default;

std::optional<Timestamp> Client::certificate_ends() const {
  return transfer_ ? transfer_->certificate_ends : std::nullopt;
}

Result<Answer> Client::ask(const Version& have, const std::stop_token& stop) {
  if (!transfer_) {
    transfer_ = std::make_unique<Transfer>();
    if (!transfer_->handle) return fail(Errc::unavailable, "libcurl cannot be used");
    transfer_->prepare(options_);
  }
  Transfer& transfer = *transfer_;
  transfer.stop = &stop;
  transfer.answer = {};
  transfer.too_large = false;
  transfer.refused.clear();
  transfer.words[0] = '\0';
  transfer.headers.reset();
  for (const auto& [name, value] : options_.headers) append(transfer.headers, name + ": " + value);
  if (!have.etag.empty()) append(transfer.headers, "If-None-Match: " + have.etag);
  if (!have.modified.empty()) append(transfer.headers, "If-Modified-Since: " + have.modified);
  append(transfer.headers, "Expect:");  // not each server answers that question
  transfer.set(CURLOPT_HTTPHEADER, transfer.headers.get());

  const CURLcode code = curl_easy_perform(transfer.handle.get());
  transfer.look_at_certificate();
  const std::string where = shown(options_.url);
  if (transfer.too_large || code == CURLE_FILESIZE_EXCEEDED)
    return fail(Errc::full, "{}: the answer is larger than {} bytes (max_size)", where, options_.max_bytes);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return fail(Errc::timed_out, "{}: no whole answer in {}", where, duration_text(options_.timeout));
  if (code == CURLE_COULDNT_CONNECT && !transfer.refused.empty()) return fail(not_allowed(where, transfer.refused));
  if (code != CURLE_OK) {
    const char* words = transfer.words[0] != '\0' ? transfer.words.data() : curl_easy_strerror(code);
    return fail(code_of(code), "{}: {}", where, printable(words));
  }
  long status = 0;
  curl_easy_getinfo(transfer.handle.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  return std::move(transfer.answer);
}

std::string url_problem(std::string_view url) {
  constexpr std::string_view kExample = "write it like http://192.168.1.20/status";
  const std::size_t begin = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (begin == 0) return fmt::format("the URL begins neither with http:// nor with https://; {}", kExample);
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }))
    return "the URL has a space or a control character; write %20 for a space";
  const std::string_view authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (authority.empty()) return fmt::format("the URL names no host; {}", kExample);
  if (authority.find('@') != std::string_view::npos) return "the URL has a user in it; write `auth` instead";
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  const auto code = curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0);
  return code == CURLUE_OK ? "" : fmt::format("the URL is none: {}", curl_url_strerror(code));
}

std::string server_of(std::string_view url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0);
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    const std::unique_ptr<char, void (*)(void*)> owned(text, curl_free);
    std::string low(text);
    std::transform(low.begin(), low.end(), low.begin(), lower);
    return low;
  };
  return fmt::format("{}://{}:{}", part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT));
}

std::string shown(std::string_view url) { return printable(url.substr(0, url.find_first_of("?#"))); }

}  // namespace tidegate::drivers::http
