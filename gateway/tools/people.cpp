#include "gateway/tools/people.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "gateway/core/time_text.h"
#include "gateway/tools/output.h"
#include "gateway/tools/rows.h"

namespace tidegate::tools {
namespace {

/// While it lives, what is typed is not shown.
class Unseen {
 public:
  Unseen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios unseen = before_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_); }

 private:
  termios before_{};
};

std::string line_after(const char* prompt) {
  const Unseen unseen;
  fmt::print(stderr, "{}", prompt);
  std::string line;
  std::getline(std::cin, line);
  fmt::print(stderr, "\n");
  return line;
}

Result<std::string> read_password(const std::string& name) {
  std::string password;
  if (::isatty(STDIN_FILENO) == 0) {
    if (!std::getline(std::cin, password)) return fail(Errc::invalid, "there is no password on standard input");
    return password;
  }
  password = line_after(fmt::format("New password of {} (12 characters at least): ", name).c_str());
  if (password != line_after("And again: "))
    return fail(Errc::invalid, "the two are not the same; nothing was changed");
  return password;
}

Result<int> print_users(const Json& answer, bool as_json) {
  static constexpr std::array<std::string_view, 4> kColumns = {"user", "role", "since", "password"};
  Output output;
  if (as_json) return finish(output.write(text_of(answer) + "\n"), output);
  const auto rows = Rows::make(Format::table, output);
  Status done = rows->columns(kColumns);
  for (const Json& user : answer.at("users")) {
    if (!done) break;
    const std::string name = word(user, "name"), role = word(user, "role"),
                      since = rfc3339_seconds(time_of(user.at("since"))),
                      password = user.at("password").get<bool>() ? "yes" : "none: by a link alone";
    const std::array<Value, 4> cells = {std::string_view(name), std::string_view(role), std::string_view(since),
                                        std::string_view(password)};
    done = rows->row(cells);
  }
  return finish(done ? rows->end() : done, output);
}

Result<int> print_tokens(const Json& answer, bool as_json) {
  static constexpr std::array<std::string_view, 6> kColumns = {"id", "token", "may", "made", "by", "until"};
  Output output;
  if (as_json) return finish(output.write(text_of(answer) + "\n"), output);
  const auto rows = Rows::make(Format::table, output);
  Status done = rows->columns(kColumns);
  for (const Json& token : answer.at("tokens")) {
    if (!done) break;
    const Json& end = token.at("until");
    const std::string name = word(token, "name"), scope = word(token, "scope"),
                      may = scope.empty() ? word(token, "role") : scope,
                      made = rfc3339_seconds(time_of(token.at("made"))), by = word(token, "made_by"),
                      until = end.is_null() ? "it is removed" : rfc3339_seconds(time_of(end));
    const std::array<Value, 6> cells = {token.at("id").get<std::int64_t>(),
                                        std::string_view(name),
                                        std::string_view(may),
                                        std::string_view(made),
                                        std::string_view(by),
                                        std::string_view(until)};
    done = rows->row(cells);
  }
  return finish(done ? rows->end() : done, output);
}

Result<int> change_users(const char* target, const Json& body, const PersonOptions& options,
                         const GatewayClient& gateway) {
  const auto answer = gateway.post(target, body);
  return answer ? print_users(*answer, options.json) : fail(answer.error());
}

}  // namespace

Result<int> claim_code(const Surroundings& surroundings) {
  const auto path = surroundings.store / "claim-code";
  std::string code;
  if (std::ifstream file(path); file >> code) {
    Output output;
    return finish(output.write(code + "\n"), output);
  }
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return fail(Errc::io, "{} cannot be read: it is for the user that the gateway runs as, and root; try it with sudo",
                path.string());
  }
  return fail(Errc::not_found,
              "there is no claim code in {}: this gateway has its first user already, or was never started",
              surroundings.store.string());
}

Result<int> login_link(const LinkOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.post("/api/v1/link", {{"name", options.name}});
  if (!answer) return fail(answer.error());
  Output output;
  if (options.json) return finish(output.write(text_of(*answer) + "\n"), output);
  std::string url = options.url.empty() ? word(*answer, "url") : options.url;
  while (url.ends_with('/')) url.pop_back();
  return finish(output.write(fmt::format("{}/#link={}\n", url, word(*answer, "link"))), output);
}

Result<int> list_users(const PersonOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.get("/api/v1/users");
  return answer ? print_users(*answer, options.json) : fail(answer.error());
}

Result<int> add_user(const PersonOptions& options, const GatewayClient& gateway) {
  const auto password = read_password(options.name);
  if (!password) return fail(password.error());
  return change_users("/api/v1/users", {{"name", options.name}, {"role", options.role}, {"password", *password}},
                      options, gateway);
}

Result<int> remove_user(const PersonOptions& options, const GatewayClient& gateway) {
  return change_users("/api/v1/users/remove", {{"name", options.name}}, options, gateway);
}

Result<int> set_role(const PersonOptions& options, const GatewayClient& gateway) {
  return change_users("/api/v1/users/role", {{"name", options.name}, {"role", options.role}}, options, gateway);
}

Result<int> set_password(const PersonOptions& options, const GatewayClient& gateway) {
  const auto password = read_password(options.name);
  if (!password) return fail(password.error());
  return change_users("/api/v1/users/password", {{"name", options.name}, {"password", *password}}, options, gateway);
}

Result<int> list_tokens(const PersonOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.get("/api/v1/tokens");
  return answer ? print_tokens(*answer, options.json) : fail(answer.error());
}

Result<int> add_token(const PersonOptions& options, const GatewayClient& gateway) {
  Json body = {{"name", options.name}};
  body[options.scope.empty() ? "role" : "scope"] = options.scope.empty() ? options.role : options.scope;
  if (!options.lasts.empty()) body["lasts"] = options.lasts;
  const auto answer = gateway.post("/api/v1/tokens", body);
  if (!answer) return fail(answer.error());
  Output output;
  return finish(output.write((options.json ? text_of(*answer) : word(*answer, "token")) + "\n"), output);
}

Result<int> remove_token(const PersonOptions& options, const GatewayClient& gateway) {
  const auto answer = gateway.post("/api/v1/tokens/remove", {{"id", options.id}});
  return answer ? print_tokens(*answer, options.json) : fail(answer.error());
}

}  // namespace tidegate::tools
