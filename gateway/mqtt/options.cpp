#include "gateway/mqtt/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "gateway/core/text.h"

namespace tidegate::mqtt {
namespace {

using config::Node;
using config::Problems;
using config::Shape;

struct Scheme {
  std::string_view name;
  Address::Transport transport;
  int port;
  std::string_view paho;
};
constexpr std::array kSchemes = {Scheme{"mqtt", Address::Transport::tcp, 1883, "tcp"},
                                 Scheme{"mqtts", Address::Transport::tls, 8883, "ssl"},
                                 Scheme{"ws", Address::Transport::websocket, 80, "ws"},
                                 Scheme{"wss", Address::Transport::secure_websocket, 443, "wss"}};

const Scheme& scheme_of(Address::Transport transport) {
  for (const auto& scheme : kSchemes) {
    if (scheme.transport == transport) return scheme;
  }
  return kSchemes[0];
}

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

/// The host's end: behind ']' for IPv6, else at the first ':'.
std::size_t host_end(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    return bracket == std::string_view::npos ? bracket : bracket + 1;
  }
  return std::min(authority.find(':'), authority.size());
}

bool parse_port(std::string_view text, int& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "gateway";
  return name.data();
}

config::ClientTls tls_of(const Node& section, const Address& broker, Problems& problems) {
  if (section.has("tls") && !broker.secure()) {
    problems.add(
        section["tls"].at,
        fmt::format("tls needs a broker address that starts with mqtts:// (or wss://), not {}", broker.text()));
  }
  return config::read_client_tls(section, problems);
}

Shape will_shape() {
  static const Shape shape = Shape::object(
      "The last will: what the broker publishes for us when the connection breaks.",
      {required("topic", Shape::text_where("an MQTT topic", topic_problem), "Where it is published."),
       required("payload", Shape::text(), "What it says."),
       defaulted("qos", Shape::integer(0, 2), "1", "Its quality of service."),
       defaulted("retain", Shape::boolean(), "true", "Whether the broker keeps it for later subscribers.")});
  return shape;
}

}  // namespace

std::string topic_problem(std::string_view text) {
  if (text.empty() || text.size() > 65535 || !valid_utf8(text)) return "an MQTT topic has 1 to 65535 bytes of UTF-8";
  if (text.find_first_of(std::string_view("+#\0", 3)) != std::string_view::npos)
    return fmt::format("'{}' is no topic to publish to: + and # may not stand in it", printable(text));
  return "";
}

Result<Address> Address::parse(std::string_view text) {
  constexpr std::string_view kExample = "write it like mqtt://192.168.1.10:1883 or mqtts://broker.example:8883";
  const std::size_t colon = text.find("://");
  const std::string_view scheme_name = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  const Scheme* scheme = nullptr;
  for (const auto& candidate : kSchemes) {
    if (candidate.name == scheme_name) scheme = &candidate;
  }
  if (scheme == nullptr)
    return fail(Errc::invalid, "is none of a broker (mqtt://, mqtts://, ws:// or wss://); {}", kExample);
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  Address address{scheme->transport, "", scheme->port, std::string(rest.substr(slash))};
  if (authority.find('@') != std::string_view::npos) {
    return fail(Errc::invalid, "has a user in the address; write 'user' and 'password' as fields of their own");
  }
  const std::size_t end = host_end(authority);
  if (end == std::string_view::npos || end == 0) return fail(Errc::invalid, "names no host; {}", kExample);
  address.host = authority.substr(0, end);
  if (address.host.front() == '[') address.host = address.host.substr(1, address.host.size() - 2);
  if (end < authority.size() && (authority[end] != ':' || !parse_port(authority.substr(end + 1), address.port))) {
    return fail(Errc::invalid, "has no port number from 1 to 65535 behind the host; {}", kExample);
  }
  const bool websocket = address.transport == Transport::websocket || address.transport == Transport::secure_websocket;
  if (!websocket && address.path.size() > 1)
    return fail(Errc::invalid, "has a path, which only ws:// and wss:// have; {}", kExample);
  if (!websocket) address.path.clear();
  return address;
}

std::string Address::text() const {
  return fmt::format("{}://{}:{}{}", scheme_of(transport).name, bracketed(host), port, path);
}

std::string Address::paho_uri() const {
  return fmt::format("{}://{}:{}{}", scheme_of(transport).paho, bracketed(host), port, path);
}

std::vector<Shape::Field> connection_fields() {
  const auto address_problem = [](std::string_view text) {
    const auto address = Address::parse(text);
    return address ? std::string() : "the address " + address.error().text;  // not repeated: it may hold a password
  };
  return {
      required("broker", Shape::text_where("a broker address", address_problem),
               "The broker: mqtt://host:1883, mqtts://host:8883 for TLS, or ws:// and wss://."),
      defaulted("version", Shape::choice({"5", "3.1.1"}), "\"5\"", "The MQTT version to speak."),
      optional("client_id", Shape::text(),
               "The client id. Missing: tidegate-HOST-NAME, NAME being this section's; of an uplink "
               "tidegate-HOST-uplink-NAME."),
      optional("user", Shape::text(), "User name."),
      optional("password", Shape::secret(), "Password; best as !secret KEY or !env NAME."),
      config::client_tls_field("TLS of the connection. Needs a broker address with mqtts://.", "broker"),
      defaulted("keep_alive", Shape::duration(std::chrono::seconds(5), std::chrono::hours(18)), "30s",
                "A broken connection is noticed after about one and a half times this."),
  };
}

std::vector<Shape::Field> session_fields() {
  return {
      defaulted("session_expiry", Shape::duration(Micros(0), std::chrono::hours(24 * 365)), "1h",
                "How long the broker keeps undelivered QoS 1 and 2 messages for us while we are away; 0s: a clean "
                "session each time."),
      optional("will", will_shape(), "The last will."),
  };
}

ConnectionOptions connection_options(const Node& section, std::string_view name, Problems& problems) {
  ConnectionOptions options;
  if (auto address = Address::parse(section.string("broker"))) {
    options.broker = std::move(*address);
  } else {
    problems.add(section["broker"].at, "broker " + address.error().text);
  }
  options.version =
      section.string("version") == "5" ? ConnectionOptions::Version::v5 : ConnectionOptions::Version::v3_1_1;
  options.client_id =
      section.has("client_id") ? section.string("client_id") : fmt::format("tidegate-{}-{}", host_name(), name);
  if (section.has("user")) options.user = section.string("user");
  if (section.has("password")) options.password = section.string("password");
  if (options.user.empty() && !options.password.empty())
    problems.add(section["password"].at, "a password needs a 'user'");
  options.tls = tls_of(section, options.broker, problems);
  options.keep_alive = section.duration("keep_alive");
  if (section.has("session_expiry")) options.session_expiry = section.duration("session_expiry");
  if (section.has("will")) {
    const Node& will = section["will"];
    options.will = Will{will.string("topic"), will.string("payload"), static_cast<int>(will.integer("qos")),
                        will.boolean("retain")};
  }
  return options;
}

}  // namespace tidegate::mqtt
