#include "drivers/http/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/core/text.h"

namespace tidegate::drivers::http {
namespace {

using config::defaulted;
using config::Node;
using config::optional;
using config::Problems;
using config::required;
using config::Shape;
using std::chrono::hours, std::chrono::milliseconds, std::chrono::seconds, std::chrono::minutes;

constexpr std::size_t kMostHeaders = 50;
const std::vector<std::string> kPlaces = {"source", "request", "field"};

std::string template_problem(std::string_view text) {
  const auto parsed = Template::parse(text, kPlaces);
  return parsed ? "" : parsed.error().text;
}

std::string metric_pattern_problem(std::string_view text) {
  const auto parsed = NamePattern::parse(text);
  return parsed ? "" : parsed.error().text;
}

Shape headers_shape() { return Shape::map(Shape::secret(), kMostHeaders); }

Shape expression() { return Shape::text_where("a regular expression with named groups", expression_problem); }

Shape auth_shape() {
  return Shape::object("Who the gateway says it is: user and password, or a token.",
                       {optional("user", Shape::text(), "User name (basic authentication)."),
                        optional("password", Shape::secret(), "Password; best as !secret KEY."),
                        optional("token", Shape::secret(), "A bearer token; best as !secret KEY.")});
}

Shape request_shape() {
  std::vector<Shape::Field> fields = {
      required("url", Shape::text_where("a URL", url_problem), "What is asked: http://host/path or https://."),
      optional("name", Shape::text(), "{request} in the series' names, and in health reports; needed by several."),
      optional("every", Shape::duration(milliseconds(100), hours(24)), "How often. Missing: as the source says."),
      optional("method", Shape::choice({"GET", "POST", "PUT"}), "Missing: GET, or POST where there is a body."),
      optional("body", Shape::text(), "What is sent, for servers that are asked so."),
      defaulted("headers", headers_shape(), "{}", "More headers, {X-API-Key: !secret key}, beside the source's."),
      defaulted("format", Shape::choice({"json", "text", "prometheus"}), "json", "What the answer is."),
      defaulted("pattern", Shape::either({expression(), Shape::list(expression(), 100)}), "[]",
                "Of a text: a regular expression (RE2), or several, whose named groups are the values: "
                "'Power: (?P<power>[0-9.]+)'."),
      defaulted("metrics", Shape::list(Shape::text_where("a regular expression", metric_pattern_problem), 1000), "[]",
                "Of Prometheus' format: the metrics that are read, as names or regular expressions of whole names. "
                "Empty: all."),
  };
  for (auto& field : fields_fields()) fields.push_back(std::move(field));
  return Shape::object("A URL that is asked again and again.", std::move(fields));
}

Auth read_auth(const Node& section, Problems& problems) {
  Auth auth;
  if (!section.has("auth")) return auth;
  const Node& node = section["auth"];
  if (node.has("user")) auth.user = node.string("user");
  if (node.has("password")) auth.password = node.string("password");
  if (node.has("token")) auth.token = node.string("token");
  const bool basic = !auth.user.empty(), bearer = !auth.token.empty();
  if (basic == bearer) problems.add(node.at, "auth has either 'user' and 'password', or 'token'");
  if (!basic && !auth.password.empty()) problems.add(node["password"].at, "a password needs a 'user'");
  return auth;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.';
  });
}

void read_headers(const Node& map, RequestOptions& http, Problems& problems) {
  for (const auto& entry : map.entries) {
    if (!is_token(entry.key)) {
      problems.add(entry.at, fmt::format("'{}' is no header's name", printable(entry.key, 64)));
    } else if (entry.value.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      problems.add(entry.value.at, fmt::format("the header {} has more than one line", entry.key));
    } else {
      http.headers.emplace_back(entry.key, entry.value.text);
    }
  }
}

void read_method(const Node& node, RequestOptions& http, Problems& problems) {
  if (node.has("body")) http.body = node.string("body");
  http.method = node.has("method") ? node.string("method") : http.body.empty() ? "GET" : "POST";
  if (http.method == "GET" && !http.body.empty()) problems.add(node["body"].at, "a GET has no body");
}

ContentRule read_content(const Node& node, Problems& problems) {
  using Format = ContentRule::Format;
  ContentRule rule;
  const std::string format = node.string("format");
  rule.format = format == "text" ? Format::text : format == "prometheus" ? Format::prometheus : Format::json;
  rule.fields = read_fields(node, problems);
  const Node& pattern = node["pattern"];
  rule.pattern = pattern.kind == Node::Kind::list ? pattern.strings() : std::vector<std::string>{pattern.string()};
  for (const Node& item : node["metrics"].items) rule.metrics.push_back(*NamePattern::parse(item.string()));

  const auto only = [&](const char* key, bool fits, const char* where) {
    if (!node[key].is_default && !node[key].is_null() && !fits)
      problems.add(node[key].at, fmt::format("'{}' has a meaning with 'format: {}' only", key, where));
  };
  only("pattern", rule.format == Format::text, "text");
  only("metrics", rule.format == Format::prometheus, "prometheus");
  for (const char* key : {"fields", "states", "ignore", "timestamp"}) {
    if (node.has(key)) only(key, rule.format != Format::prometheus, "json and text");
  }
  if (rule.format == Format::text && rule.pattern.empty())
    problems.add(node["format"].at, "'format: text' needs a 'pattern' that says where the values stand");
  return rule;
}

Request read_request(const Node& section, const Node& node, const RequestOptions& common, Problems& problems) {
  Request request;
  if (node.has("name")) request.name = node.string("name");
  request.every = node.has("every") ? node.duration("every") : section.duration("every");
  request.http = common;
  request.http.url = node.string("url");
  read_method(node, request.http, problems);
  read_headers(node["headers"], request.http, problems);
  request.content = read_content(node, problems);
  request.content.max_depth = static_cast<std::size_t>(section.integer("max_depth"));
  return request;
}

void check_names(const Node& list, const std::vector<Request>& requests, Problems& problems) {
  if (requests.empty()) problems.add(list.at, "no request: nothing would ever be read");
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string& name = requests[i].name;
    const config::Mark& at = list.items[i].has("name") ? list.items[i]["name"].at : list.items[i].at;
    if (name.empty() && requests.size() > 1) problems.add(at, "each of several requests needs a 'name'");
    if (!name.empty() && !valid_series_name(name))
      problems.add(at, fmt::format("'{}' cannot be part of a series' name", printable(name)));
    const auto same = [&](const Request& other) { return other.name == name; };
    if (!name.empty() && std::count_if(requests.begin(), requests.end(), same) > 1)
      problems.add(at, fmt::format("two requests are called '{}'", printable(name)));
  }
}

}  // namespace

Shape shape() {
  static const Shape made = Shape::object(
      "Asks URLs again and again.",
      {required("requests", Shape::list(request_shape(), 1000), "The URLs, and how their answers are read."),
       defaulted("every", Shape::duration(milliseconds(100), hours(24)), "10s", "How often they are asked."),
       defaulted("timeout", Shape::duration(milliseconds(10), minutes(5)), "5s",
                 "For the whole of a request, from the look-up of the host's name to the last byte."),
       defaulted("series", Shape::text_where("a series' name with {places}", template_problem),
                 "\"{source}/{request}/{field}\"",
                 "The series' names: {source}, {request}, {field}. A level that has nothing to say is left out."),
       optional("auth", auth_shape(), "User and password, or a token; sent to all of the URLs."),
       defaulted("headers", headers_shape(), "{}", "More headers, sent to all of the URLs."),
       config::client_tls_field("TLS of URLs that begin with https://.", "server"),
       defaulted("redirects", Shape::integer(0, 10), "0",
                 "How many redirects are followed. More headers go wherever they lead; a password does not."),
       defaulted(
           "allow_link_local", Shape::boolean(), "false",
           "Ask at link-local addresses (169.254.0.0/16, fe80::/10: a device on a cable of its own), at those of "
           "clouds' metadata services, and at 0.0.0.0 and ::. Else none of them is, whatever a name or a redirect "
           "leads to."),
       defaulted("max_size", Shape::size(1, 64u << 20), "1MiB", "Larger answers are refused."),
       defaulted("max_depth", Shape::integer(1, 64), "16", "JSON nested deeper is refused and shown.")});
  return made;
}

Options read_options(const Node& section, Problems& problems) {
  Options options{*Template::parse(section.string("series"), kPlaces), {}};  // checked by its shape
  RequestOptions common;
  common.timeout = section.duration("timeout");
  common.max_bytes = static_cast<std::size_t>(section.bytes("max_size"));
  common.redirects = static_cast<int>(section.integer("redirects"));
  common.allow_link_local = section.boolean("allow_link_local");
  common.auth = read_auth(section, problems);
  common.tls = config::read_client_tls(section, problems);
  read_headers(section["headers"], common, problems);
  const Node& list = section["requests"];
  for (const Node& item : list.items) options.requests.push_back(read_request(section, item, common, problems));
  check_names(list, options.requests, problems);
  return options;
}

}  // namespace tidegate::drivers::http
