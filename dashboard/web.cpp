#include "dashboard/web.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dashboard/api.h"
#include "dashboard/assets.h"
#include "dashboard/gzip.h"
#include "gateway/core/text.h"

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
  Peer peer;                           ///< in
  Caller caller;                       ///< who passed the guard
  std::string content_type, encoding;  ///< of a body that is handed on as it came
  std::optional<StreamRequest> stream;
  std::unique_ptr<Backups::Turn> backup;
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

// httplib would take a form apart, which is what curl calls a body of which it is not told what it is, and unzip a body
// without a bound.
void keep_body_as_it_came(httplib::Request& request) {
  if (!takes_samples(request.path)) return;
  for (const auto& [name, into] :
       {std::pair{"Content-Type", &outcome.content_type}, {"Content-Encoding", &outcome.encoding}}) {
    *into = request.get_header_value(name);
    request.headers.erase(name);
  }
}

void prepare(httplib::Request& request) {
  prefer_gzip(request);
  keep_body_as_it_came(request);
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
    constexpr std::size_t kMost = 64u << 20;
    response.set_content(unzipped(asset.gzip, kMost).value(), content_type);
  }
}

void send(const Reply& reply, httplib::Response& response) {
  response.status = reply.status;
  response.set_header("Cache-Control", "no-store");
  for (const auto& [key, value] : reply.headers) response.set_header(key, value);
  if (!reply.body.empty()) response.set_content(reply.body, reply.content_type);
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
  Router(Backend& backend, HostAllowList hosts, Limits limits) : gate_(backend.gate), hosts_(std::move(hosts)) {
    svr_sock_ = 0;  // httplib stops writing a body once its own socket is gone; it has none to begin with
    set_keep_alive_max_count(limits.requests);
    set_keep_alive_timeout(limits.idle_seconds);
    set_payload_max_length(RequestLimits{}.samples);
    httplib::Headers headers;
    for (const auto& [key, value] : security_headers()) headers.emplace(key, value);
    // Long enough from one visit to the next, and short enough for who has to go back.
    if (limits.strict_transport) headers.emplace("Strict-Transport-Security", "max-age=2592000");
    set_default_headers(std::move(headers));
    set_pre_routing_handler([this](const auto& request, auto& response) { return guard(request, response); });
    set_exception_handler([](const auto&, auto& response, std::exception_ptr thrown) {
      send(problem(500, "an answer could not be made: " + what(thrown) + "; please report it"), response);
    });
    set_error_handler([](const auto&, auto& response) {
      if (response.body.empty()) outcome.unparsed = response.status;
    });
    add_routes(backend);
  }
  ~Router() override { svr_sock_ = INVALID_SOCKET; }

  bool process(httplib::Stream& stream, bool last, bool& closes) { return process_on(*this, stream, last, closes); }
  const HostAllowList& hosts() const { return hosts_; }

 private:
  using Verdict = HandlerResponse;
  struct Door {
    std::string_view method;  ///< HEAD goes with GET
    Needs needs;
    access::Scope::Kind scope;
  };

  // 0.11 (Debian 12) asks the stream for both its ends; 0.18 (Debian 13) is told them. Nothing here asks for either.
  template <typename Server>
  static bool process_on(Server& server, httplib::Stream& stream, bool last, bool& closes) {
    if constexpr (requires { server.process_request(stream, last, closes, prepare); }) {
      return server.process_request(stream, last, closes, prepare);
    } else {
      return server.process_request(stream, {}, 0, {}, 0, last, closes, prepare);
    }
  }

  void add_routes(Backend& backend) {
    for (const Route& route : routes()) {
      add(route.path, {route.method, route.needs, route.scope}, [&backend, route](const auto& request, auto& response) {
        const auto known = check_names(request.params, route.parameters);
        Reply reply =
            known ? route.call(backend, {request.params, request.body, std::move(outcome.caller),
                                         request.get_header_value("If-Match"), request.get_header_value("Accept"),
                                         std::move(outcome.content_type), std::move(outcome.encoding)})
                  : problem(400, known.error().text);
        send(reply, response);
        if (request.method != "HEAD") outcome.backup = std::move(reply.backup);
      });
    }
    add(kStreamPath, {"GET", Needs::viewer, access::Scope::Kind::all}, become_stream);
    for (const Asset& asset : assets()) {
      add_asset(asset.path, asset);
      if (asset.path == "/index.html") add_asset("/", asset);
    }
  }

  void add(std::string_view path, const Door& door, const Handler& handler) {
    doors_[std::string(path)].push_back(door);
    if (door.method == "GET") Get(literal_regex(path), handler);
    if (door.method == "POST") Post(literal_regex(path), handler);
  }

  void add_asset(std::string_view path, const Asset& asset) {
    add(path, {"GET", Needs::nothing, access::Scope::Kind::all},
        [&asset](const auto& request, auto& response) { send_asset(asset, request, response); });
  }

  static void become_stream(const httplib::Request& request, httplib::Response& response) {
    static constexpr std::array<std::string_view, 2> kParameters = {"last_event_id", "series"};
    if (const auto known = check_names(request.params, kParameters); !known) {
      return send(problem(400, known.error().text), response);
    }
    auto series = parse_selection(request.params);
    if (!series) return send(problem(400, series.error().text), response);
    response.set_header("Content-Type", "text/event-stream");
    if (request.method != "GET") return;
    const auto header = request.get_header_value("Last-Event-ID");
    outcome.stream = StreamRequest{header.empty() ? request.get_param_value("last_event_id") : header,
                                   std::move(*series), std::move(outcome.caller.pass)};
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
    const auto found = doors_.find(request.path);
    if (found == doors_.end()) return problem(404, "there is nothing here; docs/api.md lists the paths");
    const bool reading = request.method == "GET" || request.method == "HEAD";
    const auto door = std::find_if(found->second.begin(), found->second.end(),
                                   [&](const Door& one) { return one.method == (reading ? "GET" : request.method); });
    if (door == found->second.end()) return wrong_method(found->second, response);
    outcome.caller = gate_.caller(request, outcome.peer);
    if (!reading) {
      if (auto refused = change_refused(request, host, outcome.caller)) return refused;
    }
    if (outcome.caller.strays(door->needs, door->scope)) return stray_refused();
    if (outcome.caller.may(door->needs)) return {};
    return stranger_refused(door->needs, response);
  }

  static Reply wrong_method(const std::vector<Door>& doors, httplib::Response& response) {
    std::string takes;
    for (const Door& door : doors) {
      takes += fmt::format("{}{}", takes.empty() ? "" : ", ", door.method == "GET" ? "GET, HEAD" : door.method);
    }
    response.set_header("Allow", takes);
    return problem(405, "this path takes " + takes);
  }

  static Reply stranger_refused(Needs needs, httplib::Response& response) {
    if (needs == Needs::local) {
      return problem(403, "this is for the machine's own user, by the socket in the storage folder");
    }
    if (outcome.caller.identity) {
      return problem(403,
                     fmt::format("this needs the role {}; '{}' is {}", name_of(least_role(needs)),
                                 printable(outcome.caller.identity->name), name_of(outcome.caller.identity->role)));
    }
    response.set_header("WWW-Authenticate", "Bearer");
    return problem(401, outcome.caller.pass.kind == Pass::Kind::none
                            ? "log in first: by the page, or with 'Authorization: Bearer TOKEN'"
                            : "this log-in or token is over: log in again, or make another token");
  }

  static Reply stray_refused() {
    const access::Identity& token = *outcome.caller.identity;
    return problem(403, fmt::format("the token '{}' is for {} alone: take another one for this", printable(token.name),
                                    printable(text_of(token.scope))));
  }

  /// What a page of another site could make a browser send.
  static std::optional<Reply> change_refused(const httplib::Request& request, const std::string& host,
                                             const Caller& caller) {
    if (!takes_samples(request.path) &&
        (!json_content_type(request.get_header_value("Content-Type")) || request.has_header("Content-Encoding"))) {
      return problem(415, "send the body as plain 'Content-Type: application/json'");
    }
    const std::string site = request.get_header_value("Sec-Fetch-Site");
    const bool foreign_site = !site.empty() && site != "same-origin" && site != "none";
    const bool foreign_origin = request.has_header("Origin") && !same_origin(request.get_header_value("Origin"), host);
    if (foreign_site || foreign_origin) return problem(403, "a page of another site may not change anything here");
    if (caller.pass.kind != Pass::Kind::session || !caller.identity) return {};
    if (!request.has_header("Origin") || request.get_header_value(Gate::kCsrfHeader) != Gate::csrf_token(caller.pass)) {
      return problem(403,
                     "a change by a log-in comes from its own page, with an Origin and the token of "
                     "/api/v1/session in X-CSRF-Token; a program takes an API token instead");
    }
    return {};
  }

  const Gate& gate_;
  HostAllowList hosts_;
  std::map<std::string, std::vector<Door>, std::less<>> doors_;  ///< by path
};

Web::Web(Backend& backend, HostAllowList hosts, Limits limits)
    : router_(std::make_unique<Router>(backend, std::move(hosts), limits)) {
  // cpp-httplib makes its tables with the first request that it parses. That one is asked here, where there is one
  // thread: in a library without instrumentation, no sanitizer can see that the threads to come may read what one of
  // them makes.
  answer("GET / HTTP/1.1\r\n\r\n", {}, true);
}
Web::~Web() = default;

const HostAllowList& Web::hosts() const { return router_->hosts(); }

Answer Web::answer(std::string_view request, const Peer& peer, bool last) {
  Answer answer;
  MemoryStream stream(request, peer, answer.bytes);
  outcome = {};
  outcome.peer = peer;
  bool closes = false;
  bool ok = false;
  try {
    ok = router_->process(stream, last, closes);
  } catch (const std::exception&) {
    answer.bytes =
        refusal(500, "an answer could not be made: " + what(std::current_exception()) + "; please report it");
  }
  answer.close = last || closes || !ok;
  answer.stream = std::exchange(outcome.stream, std::nullopt);
  answer.backup = std::move(outcome.backup);
  if (answer.stream || answer.backup) {
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
