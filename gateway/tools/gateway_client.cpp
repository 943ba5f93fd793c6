#include "gateway/tools/gateway_client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "gateway/core/text.h"

namespace tidegate::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// The gateway ends a connection that has more in mind, maybe before its answer arrives.
constexpr std::size_t kLongestBody = 64u << 10;
/// An acknowledgement waits for its commit, at most 5 s.
constexpr std::chrono::seconds kPatience{15};
/// A device has up to 30 s to show what it was set to (mqtt), a silent one of modbus up to 40 s, and others may be
/// before it.
constexpr std::string_view kSetsAPoint = "/api/v1/points/write";
constexpr std::chrono::seconds kPatienceForDevices{150};
/// The stream says something every 10 s.
constexpr std::chrono::seconds kSilence{25};
constexpr std::chrono::milliseconds kAgain{20};

/// Behind sudo too.
std::string who_runs_this() {
  const char* caller = std::getenv("SUDO_USER");
  if (::geteuid() == 0 && caller != nullptr && *caller != '\0') return caller;
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : fmt::format("user {}", ::geteuid());
}

httplib::Client client_for(const std::filesystem::path& socket, const std::string& name, std::chrono::seconds silence) {
  constexpr int kAnyPort = 80;
  httplib::Client client(socket.native(), kAnyPort);
  client.set_address_family(AF_UNIX);
  client.set_default_headers({{"Host", "localhost"}, {"Tidegate-User", name}});
  client.set_connection_timeout(kPatience);
  client.set_read_timeout(silence);
  return client;
}

/// What the kernel says of a connection; 0 where it takes one.
int try_connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool taken = probe >= 0 && ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = taken ? 0 : errno;
  if (probe >= 0) ::close(probe);
  return error;
}

/// httplib does not say why it got no answer.
tl::unexpected<Error> no_answer(const std::filesystem::path& socket) {
  const std::string& path = socket.native();
  switch (const int error = try_connect(path)) {
    case 0:
    case EAGAIN:
      return fail(Errc::timed_out, "the gateway at {} does not answer; its log says what it does", path);
    case ENOENT:
    case ENOTDIR:
      return fail(Errc::unavailable,
                  "no gateway runs there: {} does not exist. Start it (systemctl start tidegate), or say where it is: "
                  "--config FILE, --data FOLDER or --socket PATH",
                  path);
    case ECONNREFUSED:
      return fail(Errc::unavailable,
                  "no gateway runs there any more: nobody listens at {}, which a crash has left. Start it again "
                  "(systemctl start tidegate)",
                  path);
    case EACCES:
    case EPERM:
      return fail(Errc::io, "{} is for the user that the gateway runs as, and root: try it with sudo", path);
    case ENAMETOOLONG:
      return fail(
          Errc::invalid,
          "{}: this path is longer than that of a socket may be, so a gateway has none there; give it a shorter "
          "storage.path",
          path);
    default:
      return fail(Errc::io, "{} cannot be opened: {}", path, std::strerror(error));
  }
}

Errc code_of(int status) {
  switch (status) {
    case 400:
      return Errc::invalid;
    case 404:
      return Errc::not_found;
    case 409:
    case 412:
      return Errc::conflict;
    case 503:
      return Errc::unavailable;
    default:
      return Errc::io;
  }
}

/// The problem's own sentence.
tl::unexpected<Error> refused(const httplib::Response& response) {
  const Json problem = Json::parse(response.body, nullptr, false);
  const bool told = problem.is_object() && problem.contains("detail") && problem["detail"].is_string();
  return fail(code_of(response.status), "{}",
              told ? problem["detail"].get<std::string>() : fmt::format("the gateway answered {}", response.status));
}

Result<Json> answer_of(const httplib::Result& result, const std::filesystem::path& socket) {
  if (!result) return no_answer(socket);
  if (result->status != 200) return refused(*result);
  Json answer = Json::parse(result->body, nullptr, false);
  if (answer.is_discarded()) return fail(Errc::corrupt, "the gateway's answer is no JSON; is it of another version?");
  return answer;
}

/// Ends a client's request at a time, or when a stop is asked for, whichever is first: again and again until it is
/// over, for it may have no connection yet.
class Alarm {
 public:
  Alarm(httplib::Client& client, Clock::time_point at, const std::stop_token& stop)
      : thread_([this, &client, at, stop](const std::stop_token& over) {
          const std::stop_callback wake(stop, [this] {
            const std::lock_guard lock(mutex_);
            rung_.notify_all();
          });
          std::unique_lock lock(mutex_);
          rung_.wait_until(lock, over, at, [&] { return stop.stop_requested(); });
          while (!over.stop_requested()) {
            client.stop();
            rung_.wait_for(lock, over, kAgain, [] { return false; });
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any rung_;
  std::jthread thread_;
};

}  // namespace

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string state_text(const Json& series, double code) {
  const auto states = series.find("states");
  if (states == series.end() || !(code >= 0 && code < static_cast<double>(states->size()))) return {};
  return states->at(static_cast<std::size_t>(code)).get<std::string>();
}

GatewayClient::GatewayClient(std::filesystem::path socket) : socket_(std::move(socket)), name_(who_runs_this()) {}

GatewayClient GatewayClient::as(const std::string& name) const {
  GatewayClient other = *this;
  if (!name.empty()) other.name_ = printable(name);
  return other;
}

Result<std::string> GatewayClient::health() const {
  const auto result = client_for(socket_, name_, kPatience).Get("/healthz");
  if (!result) return no_answer(socket_);
  return result->body.substr(0, result->body.find('\n'));
}

Result<Json> GatewayClient::get(const std::string& target) const {
  return answer_of(client_for(socket_, name_, kPatience).Get(target), socket_);
}

Result<Json> GatewayClient::post(const std::string& target, const Json& body, const std::string& if_match) const {
  httplib::Headers headers;
  if (!if_match.empty()) headers.emplace("If-Match", if_match);
  const std::string bytes = text_of(body);
  if (bytes.size() > kLongestBody) {
    return fail(Errc::invalid, "this is {} bytes, and the gateway takes at most {} at once", bytes.size(),
                kLongestBody);
  }
  const std::chrono::seconds patience = target == kSetsAPoint ? kPatienceForDevices : kPatience;
  return answer_of(client_for(socket_, name_, patience).Post(target, headers, bytes, "application/json"), socket_);
}

Status GatewayClient::follow(const std::vector<std::string>& patterns, EventReader::Take take, Clock::time_point until,
                             const std::stop_token& stop) const {
  const auto over = [&] { return stop.stop_requested() || Clock::now() >= until; };
  httplib::Client client = client_for(socket_, name_, kSilence);
  EventReader reader(std::move(take));
  bool wanted = true, begun = false;
  const auto receive = [&](const char* bytes, std::size_t size) {
    begun = true;
    wanted = reader.feed({bytes, size});
    return wanted && !over();
  };
  const Alarm alarm(client, until, stop);
  httplib::Params wanted_series;
  for (const std::string& pattern : patterns) wanted_series.emplace("series", pattern);
  const auto result = client.Get("/api/v1/stream", wanted_series, httplib::Headers{}, receive);
  if (stop.stop_requested()) return fail(Errc::stopped, "stopped");
  if (!wanted || over()) return {};
  if (!begun) return no_answer(socket_);
  if (result && result->status != 200) return fail(Errc::unavailable, "the gateway answered {}", result->status);
  return fail(Errc::interrupted, "the gateway has ended the stream; it stops, or this reader was too slow for it");
}

}  // namespace tidegate::tools
