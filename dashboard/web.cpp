#include "dashboard/web.h"

#include <fmt/format.h>
#include <httplib.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dashboard/assets.h"

namespace tidegate::dashboard {
namespace {

constexpr std::string_view kStreamPath = "/api/v1/stream";

/// The request's bytes in, the response's bytes out.
class MemoryStream final : public httplib::Stream {
 public:
  MemoryStream(std::string_view in, const Peer& peer, std::string& out) : in_(in), peer_(peer), out_(out) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* bytes, size_t size) override {
    const std::size_t count = std::min(size, in_.size());
    if (count > 0) std::memcpy(bytes, in_.data(), count);
    in_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = peer_.address;
    port = peer_.port;
  }
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  std::string_view in_;
  const Peer& peer_;
  std::string& out_;
};

/// What handlers tell Web::answer, which called them on this same thread.
struct Outcome {
  std::optional<StreamRequest> stream;
  int unparsed = 0;  ///< the status of what httplib could not parse
};
thread_local Outcome outcome;

std::string what(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}

std::string literal_regex(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (std::strchr(R"(.[]{}()\*+?^$|)", c) != nullptr) out += '\\';
    out += c;
  }
  return out;
}

bool accepts_gzip(const httplib::Request& request) {
  return request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
}

// Brotli at httplib's default quality costs a small box too much, and the page is compressed already.
void prefer_gzip(httplib::Request& request) {
  const bool gzip = accepts_gzip(request);
  request.headers.erase("Accept-Encoding");
  if (gzip) request.set_header("Accept-Encoding", "gzip");
}

std::string unzipped(std::string_view gzip) {
  constexpr int kGzipWindow = 16 + MAX_WBITS;
  z_stream zip{};
  if (inflateInit2(&zip, kGzipWindow) != Z_OK) return {};
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  zip.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  std::array<char, 16'384> buffer;
  int status = Z_OK;
  while (status == Z_OK) {
    zip.next_out = reinterpret_cast<Bytef*>(buffer.data());
    zip.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&zip, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - zip.avail_out);
  }
  inflateEnd(&zip);
  return out;
}

void send_asset(const Asset& asset, const httplib::Request& request, httplib::Response& response) {
  response.set_header("ETag", std::string(asset.etag));
  response.set_header("Vary", "Accept-Encoding");
  response.set_header("Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  const std::string content_type(asset.content_type);
  if (request.get_header_value("If-None-Match") == asset.etag) {
    response.status = 304;
  } else if (accepts_gzip(request)) {
    response.set_header("Content-Encoding", "gzip");
    response.set_content_provider(asset.gzip.size(), content_type,
                                  [bytes = asset.gzip](size_t offset, size_t length, httplib::DataSink& sink) {
                                    return sink.write(bytes.data() + offset, length);
                                  });
  } else {
    response.set_content(unzipped(asset.gzip), content_type);
  }
}

void send(const Reply& reply, httplib::Response& response) {
  response.status = reply.status;
  response.set_header("Cache-Control", "no-store");
  response.set_content(reply.body, reply.content_type);
}

}  // namespace

const std::vector<std::pair<std::string, std::string>>& security_headers() {
  static const std::vector<std::pair<std::string, std::string>> kHeaders = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src "
       "'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"}};
  return kHeaders;
}

class Web::Router final : public httplib::Server {
 public:
  Router(Api& api, HostAllowList hosts, Limits limits) : hosts_(std::move(hosts)) {
    svr_sock_ = 0;  // httplib stops writing a body once its own socket is gone; it has none to begin with
    set_keep_alive_max_count(limits.requests);
    set_keep_alive_timeout(limits.idle_seconds);
    set_payload_max_length(RequestLimits{}.body);
    httplib::Headers headers;
    for (const auto& [key, value] : security_headers()) headers.emplace(key, value);
    set_default_headers(std::move(headers));
    set_pre_routing_handler([this](const auto& request, auto& response) { return guard(request, response); });
    set_exception_handler([](const auto&, auto& response, std::exception_ptr thrown) {
      send(problem(500, "an answer could not be made: " + what(thrown) + "; please report it"), response);
    });
    set_error_handler([](const auto&, auto& response) {
      if (response.body.empty()) outcome.unparsed = response.status;
    });
    add_routes(api);
  }
  ~Router() override { svr_sock_ = INVALID_SOCKET; }

  using httplib::Server::process_request;

 private:
  using Verdict = HandlerResponse;

  void add_routes(Api& api) {
    for (const Api::Route& route : Api::routes()) {
      methods_.emplace(route.path, route.method);
      const auto handler = [&api, route](const httplib::Request& request, httplib::Response& response) {
        const auto known = check_names(request.params, route.parameters);
        send(known ? (api.*route.call)({request.params, request.body, request.remote_addr})
                   : problem(400, known.error().text),
             response);
      };
      if (route.method == "GET") Get(literal_regex(route.path), handler);
      if (route.method == "POST") Post(literal_regex(route.path), handler);
    }
    methods_.emplace(kStreamPath, "GET");
    Get(literal_regex(kStreamPath), [](const auto& request, auto& response) { become_stream(request, response); });
    for (const Asset& asset : assets()) {
      add_asset(asset.path, asset);
      if (asset.path == "/index.html") add_asset("/", asset);
    }
  }

  void add_asset(std::string_view path, const Asset& asset) {
    methods_.emplace(path, "GET");
    Get(literal_regex(path), [&asset](const auto& request, auto& response) { send_asset(asset, request, response); });
  }

  static void become_stream(const httplib::Request& request, httplib::Response& response) {
    static constexpr std::array<std::string_view, 1> kParameters = {"last_event_id"};
    if (const auto known = check_names(request.params, kParameters); !known) {
      return send(problem(400, known.error().text), response);
    }
    response.set_header("Content-Type", "text/event-stream");
    if (request.method != "GET") return;
    const auto header = request.get_header_value("Last-Event-ID");
    outcome.stream = StreamRequest{header.empty() ? request.get_param_value("last_event_id") : header};
  }

  Verdict guard(const httplib::Request& request, httplib::Response& response) const {
    if (const auto refused = refusal_of(request, response)) {
      send(*refused, response);
      return Verdict::Handled;
    }
    return Verdict::Unhandled;
  }

  std::optional<Reply> refusal_of(const httplib::Request& request, httplib::Response& response) const {
    if (request.get_header_value_count("Host") != 1) return problem(400, "the request must have one Host header");
    const std::string host = request.get_header_value("Host");
    if (!hosts_.allows(host)) {
      return problem(421,
                     "this gateway does not answer to that name; use its IP address, its .local name, or add the name "
                     "to http.hosts");
    }
    const auto known = methods_.find(request.path);
    if (known == methods_.end()) return problem(404, "there is nothing here; docs/api.md lists the paths");
    const bool reading = request.method == "GET" || request.method == "HEAD";
    if (reading != (known->second == "GET") || (!reading && request.method != known->second)) {
      response.set_header("Allow", known->second == "GET" ? "GET, HEAD" : known->second);
      return problem(405, "this path takes " + known->second);
    }
    return reading ? std::nullopt : change_refused(request, host);
  }

  static std::optional<Reply> change_refused(const httplib::Request& request, const std::string& host) {
    if (!json_content_type(request.get_header_value("Content-Type")) || request.has_header("Content-Encoding")) {
      return problem(415, "send the body as plain 'Content-Type: application/json'");
    }
    const std::string site = request.get_header_value("Sec-Fetch-Site");
    const bool foreign_site = !site.empty() && site != "same-origin" && site != "none";
    const bool foreign_origin = request.has_header("Origin") && !same_origin(request.get_header_value("Origin"), host);
    if (foreign_site || foreign_origin) return problem(403, "a page of another site may not change anything here");
    return {};
  }

  HostAllowList hosts_;
  std::map<std::string, std::string, std::less<>> methods_;  ///< by path; HEAD goes with GET
};

Web::Web(Api& api, HostAllowList hosts, Limits limits)
    : router_(std::make_unique<Router>(api, std::move(hosts), limits)) {}
Web::~Web() = default;

Answer Web::answer(std::string_view request, const Peer& peer, bool last) {
  Answer answer;
  MemoryStream stream(request, peer, answer.bytes);
  outcome = {};
  bool closes = false;
  bool ok = false;
  try {
    ok = router_->process_request(stream, last, closes, prefer_gzip);
  } catch (const std::exception&) {
    answer.bytes =
        refusal(500, "an answer could not be made: " + what(std::current_exception()) + "; please report it");
  }
  answer.close = last || closes || !ok;
  answer.stream = std::exchange(outcome.stream, std::nullopt);
  if (answer.stream) {
    answer.bytes.clear();
  } else if (outcome.unparsed != 0 || answer.bytes.empty()) {
    answer.bytes = refusal(outcome.unparsed != 0 ? outcome.unparsed : 400, "the request cannot be understood");
    answer.close = true;
  }
  return answer;
}

std::string Web::refusal(int status, std::string_view why) {
  const Reply reply = problem(status, why);
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
                                status, status_title(status), reply.content_type, reply.body.size());
  for (const auto& [key, value] : security_headers()) out += fmt::format("{}: {}\r\n", key, value);
  return out + "\r\n" + reply.body;
}

}  // namespace tidegate::dashboard
