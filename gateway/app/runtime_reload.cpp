// How a runtime takes a changed configuration over without a restart.

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "gateway/app/runtime.h"
#include "gateway/core/time_text.h"

namespace tidegate::app {
namespace {

/// Of who waits for the main thread.
constexpr std::chrono::seconds kPatience{10};

dashboard::Tls::Files certificate(const Settings& settings) {
  if (!settings.http.has("certificate")) return {};
  return {settings.http.string("certificate"), settings.http.string("key")};
}

/// What a reload cannot take over, in words; empty where nothing of that kind changed.
std::string needs_restart(const Settings& old, const Settings& now) {
  std::vector<std::string_view> changed;
  if (old.name != now.name || old.site != now.site || old.demo != now.demo) changed.push_back("gateway");
  if (old.listen != now.listen || old.max_streams != now.max_streams ||
      old.max_streams_per_address != now.max_streams_per_address || old.hosts != now.hosts ||
      old.lan_http != now.lan_http || certificate(old) != certificate(now)) {
    changed.push_back("http");
  }
  if (old.commit_every != now.commit_every || old.storage.directory != now.storage.directory ||
      old.storage.retention != now.storage.retention || old.storage.max_bytes != now.storage.max_bytes ||
      old.storage.max_history_bytes != now.storage.max_history_bytes ||
      old.storage.when_full != now.storage.when_full || old.storage.max_events != now.storage.max_events ||
      old.storage.max_snapshot_bytes != now.storage.max_snapshot_bytes ||
      old.storage.series.max_series != now.storage.series.max_series) {
    changed.push_back("storage");
  }
  return fmt::format("{}", fmt::join(changed, ", "));
}

}  // namespace

void Runtime::reload(const std::filesystem::path& file) {
  auto asked =
      take_asked_reload();  // whoever asks from here on may have changed the files since, and has another SIGHUP
  Result<std::string> done = take_over(file);
  if (done) {
    spdlog::info("{}", *done);
    note("configuration", *done);
  } else {
    spdlog::error("reload refused, nothing was changed:\n{}", done.error().text);
    note("configuration", "a reload was refused: " + done.error().text.substr(0, done.error().text.find('\n')));
  }
  if (asked) asked->set_value(std::move(done));
}

/// --listen and --data outlive a reload.
Runtime::Candidate Runtime::load(const std::filesystem::path& file, const config::References& references,
                                 config::Problems& problems) {
  Settings settings = load_settings(file, problems, {.data = settings_.storage.directory, .references = references});
  settings.listen = settings_.listen;
  Parts parts = make_parts(settings, surroundings(), problems);
  return {std::move(settings), std::move(parts)};
}

Result<std::string> Runtime::take_over(const std::filesystem::path& file) {
  config::Problems problems;
  Candidate candidate = load(file, config::References::system(), problems);
  if (!problems.empty()) {
    std::string text = problems.text();
    text.pop_back();
    return fail(Errc::invalid, "{}", text);
  }
  adopt(candidate.settings.texts, {std::string(state::kItself), "reloaded", {}});
  const std::string later = put_to_work(std::move(candidate));
  return fmt::format("the configuration was reloaded{}",
                     later.empty() ? "" : "; changes in " + later + " need a restart");
}

/// What it cannot take over, in words.
std::string Runtime::put_to_work(Candidate candidate) {
  Settings& settings = candidate.settings;
  Parts& parts = candidate.parts;
  describe_rules(std::move(parts.rule_views));
  start_uplinks(settings.uplinks, std::move(parts.uplinks));
  start_sources(settings.sources, std::move(parts.drivers));
  const bool is_same = settings.rules.canonical() == settings_.rules.canonical() &&
                       settings.derived.canonical() == settings_.derived.canonical();
  if (!is_same) pump_.replace_rules(take_rules(parts));
  tell_of(settings);
  tls_watched_ = Micros{0};  // a renewed certificate need not wait
  std::string later = needs_restart(settings_, settings);
  settings_.sources = std::move(settings.sources);
  settings_.uplinks = std::move(settings.uplinks);
  settings_.rules = std::move(settings.rules);
  settings_.derived = std::move(settings.derived);
  settings_.texts = std::move(settings.texts);
  return later;
}

Result<std::string> Runtime::ask_reload(const std::string& who) {
  std::future<Result<std::string>> answer;
  {
    const std::lock_guard lock(reload_mutex_);
    if (!takes_reloads_) return fail(Errc::stopped, "the gateway stops");
    if (reload_asked_) return fail(Errc::conflict, "another reload is under way; try again in a second");
    answer = reload_asked_.emplace().get_future();
  }
  ::kill(::getpid(), SIGHUP);
  audit({who, "reload", "", ""});
  if (answer.wait_for(kPatience) == std::future_status::ready) return answer.get();
  return fail(Errc::timed_out, "the reload takes longer than {}; it goes on, and the log says what comes of it",
              age_text(kPatience));
}

std::optional<std::promise<Result<std::string>>> Runtime::take_asked_reload() {
  const std::lock_guard lock(reload_mutex_);
  return std::exchange(reload_asked_, std::nullopt);
}

void Runtime::refuse_reloads() {
  {
    const std::lock_guard lock(reload_mutex_);
    takes_reloads_ = false;
  }
  if (auto asked = take_asked_reload()) asked->set_value(fail(Errc::stopped, "the gateway stops"));
  if (auto errand = take_errand()) errand->answer.set_value(fail(Errc::stopped, "the gateway stops"));
}

Result<dashboard::RuleSaved> Runtime::by_main_thread(std::function<Result<dashboard::RuleSaved>()> work) {
  std::future<Result<dashboard::RuleSaved>> answer;
  {
    const std::lock_guard lock(reload_mutex_);
    if (!takes_reloads_) return fail(Errc::stopped, "the gateway stops");
    if (errand_) return fail(Errc::unavailable, "another change is under way; try again in a second");
    answer = errand_.emplace(Errand{std::move(work), {}}).answer.get_future();
  }
  ::kill(::getpid(), SIGUSR1);
  if (answer.wait_for(kPatience) == std::future_status::ready) return answer.get();
  return fail(Errc::timed_out, "this takes longer than {}; it goes on, and the history says what comes of it",
              age_text(kPatience));
}

std::optional<Runtime::Errand> Runtime::take_errand() {
  const std::lock_guard lock(reload_mutex_);
  return std::exchange(errand_, std::nullopt);
}

void Runtime::run_errand() {
  if (auto errand = take_errand()) errand->answer.set_value(errand->work());
}

}  // namespace tidegate::app
