#include "gateway/app/runtime.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

#include "gateway/core/text.h"
#include "gateway/core/time_text.h"
#include "gateway/tools/surroundings.h"

#if !defined(TIDEGATE_VERSION) || !defined(TIDEGATE_RELEASE_DATE)
#error "the build gives the version, and its day"
#endif

namespace tidegate::app {
namespace {

/// 1.5 MB: some ten seconds of 6,000 samples a second.
constexpr std::size_t kQueueSamples = 65'536;
/// From the moment that a sample tells of until the pump has it, where nothing is in the way.
constexpr Micros kOnItsWay = std::chrono::seconds(1);

dashboard::Options dashboard_options(const Settings& settings, const Endpoint& endpoint,
                                     const dashboard::TlsKeeper* tls) {
  dashboard::Options options;
  options.address = endpoint.address;
  options.port = endpoint.port;
  options.socket = settings.storage.directory / tools::kSocketName;
  options.hosts = settings.hosts;
  options.max_streams = settings.max_streams;
  options.max_streams_per_address = settings.max_streams_per_address;
  options.name = settings.name;
  options.site = settings.site;
  options.version = TIDEGATE_VERSION;
  options.released = parse_rfc3339(TIDEGATE_RELEASE_DATE "T00:00:00Z").value_or(Timestamp{});
  options.security_contact = settings.security_contact;
  options.demo = settings.demo;
  options.tls = tls;
  options.insecure = tls == nullptr && !endpoint.loopback();
  return options;
}

/// In words, what is odd about the clock of this run.
std::vector<std::string> begin_clock(GatewayClock& clock, Timestamp left_off) {
  std::vector<std::string> odd;
  if (const Micros ahead = clock.begin_after(left_off); ahead > Micros{0}) {
    odd.push_back(
        fmt::format("the system clock came back {} behind the last run; the gateway's goes on from there and waits",
                    age_text(ahead)));
  } else if (left_off > clock.now()) {
    odd.push_back(fmt::format("the last run ended {} ahead: its clock was wrong, and is not followed",
                              age_text(left_off - clock.now())));
  }
  if (clock.state() != ClockState::set) odd.emplace_back(in_words(clock.state()));
  return odd;
}

/// Of the parts that run, those stay whose section means the same; `make(i)` makes the others. Gives back those that
/// leave: to be stopped before their successors start, since two of one name would fight over a session or a port.
template <class Part, class Make>
std::vector<std::unique_ptr<Part>> replace(std::vector<std::unique_ptr<Part>>& parts,
                                           const std::vector<config::Node>& sections, const Make& make) {
  std::vector<std::unique_ptr<Part>> leaving;
  leaving.swap(parts);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::string meaning = sections[i].canonical();
    const auto same = [&](const auto& part) { return part && part->meaning() == meaning; };
    const auto running = std::find_if(leaving.begin(), leaving.end(), same);
    parts.push_back(running != leaving.end() ? std::move(*running) : make(i));
  }
  std::erase(leaving, nullptr);
  return leaving;
}

/// All at the same time.
template <class Part>
void stop(std::vector<std::unique_ptr<Part>>& parts) {
  for (const auto& part : parts) part->ask_to_stop();
  parts.clear();
}

void write_log(Chronicle::Level level, const std::string& text) {
  switch (level) {
    case Chronicle::Level::error:
      return spdlog::error("{}", text);
    case Chronicle::Level::warning:
      return spdlog::warn("{}", text);
    case Chronicle::Level::info:
      return spdlog::info("{}", text);
  }
}

dashboard::UplinkView view_of(const uplink::Runner& uplink) {
  const uplink::Runner::Stats stats = uplink.stats();
  return {uplink.name(),      uplink.type(),        stats.text,     stats.health, stats.backlog_batches,
          stats.lost_batches, stats.backlog_oldest, stats.last_ack, stats.rate,   stats.drain_seconds};
}

/// What makes series of others stands beside the sources.
dashboard::SourceView view_of(const std::vector<rules::Engine::RuleStatus>& derived, Timestamp started) {
  dashboard::SourceView view{std::string(rules::kDerivedSource), "derived", "made of other series", SourceHealth::up,
                             started};
  for (const auto& one : derived) {
    view.series += one.instances;
    if (one.problems.empty() || view.health != SourceHealth::up) continue;
    view.health = SourceHealth::degraded;
    view.text = fmt::format("'{}' cannot be made of all: {}", one.name, one.problems.front());
  }
  return view;
}

}  // namespace

Runtime::Runtime(const Settings& settings, Heartbeat& heart, std::unique_ptr<Ground> ground)
    : heart_(heart),
      ground_(std::move(ground)),
      settings_(settings),
      started_(ground_->clock.now()),
      vitals_(ground_->metrics),
      wear_(ground_->metrics, settings.endurance),
      chronicle_(write_log),
      intake_(kQueueSamples),
      pump_(intake_, *ground_->journal, freshness_, ground_->clock, heart, ground_->metrics,
            {.commit_every = settings.commit_every}) {}

Surroundings Runtime::surroundings() const {
  return {ground_->clock, ground_->metrics, ground_->journal->catalogue(), ground_->journal->epoch()};
}

Result<std::unique_ptr<Runtime::Ground>> Runtime::open_ground(const Settings& settings, Heartbeat& heart) {
  auto ground = std::make_unique<Ground>();
  journal::Options storage = settings.storage;
  storage.still_at_work = [&heart] { heart.beat(); };
  auto journal = journal::Journal::open(storage, ground->clock, ground->metrics);
  if (!journal) return fail(journal.error());
  ground->journal = std::move(*journal);
  return ground;
}

/// What it keeps is worth no outage: a gateway without it does its work.
void Runtime::open_state() {
  auto state = state::State::open(settings_.storage.directory, ground_->clock);
  const std::string trouble = state ? (*state)->notice() : state.error().text + "; configurations and audit go unkept";
  if (state) ground_->state = std::move(*state);
  if (trouble.empty()) return;
  spdlog::error("{}", trouble);
  note("storage", trouble);
}

void Runtime::open_access() {
  if (!ground_->state) return;
  auto access = access::Access::open(*ground_->state, settings_.storage.directory, ground_->clock);
  if (access) {
    ground_->access = std::move(*access);
    return;
  }
  const std::string trouble = access.error().text + "; nobody can log in";
  spdlog::error("{}", trouble);
  note("storage", trouble);
}

/// A restore that was ready has put its files in place since the configuration was read.
Settings Runtime::as_restored(const Settings& read, config::Problems& problems) {
  const auto differs = [&](const char* file, const char* text) {
    const auto now = config::References::system().read_file(read.storage.directory / file);
    const auto then = read.texts.find(text);
    return now ? then == read.texts.end() || *now != then->second : then != read.texts.end();
  };
  if (!differs(kRulesFile, kRulesText) && !differs(kRulesOffFile, kRulesOffText)) return read;
  Settings settings = load_settings(read.file, problems, {.data = read.storage.directory});
  settings.listen = read.listen;
  settings.is_data_named = read.is_data_named;
  return settings;
}

Result<std::unique_ptr<Runtime>> Runtime::start(const Settings& read, Heartbeat& heart, config::Problems& problems) {
  auto ground = open_ground(read, heart);
  if (!ground) return fail(std::move(ground.error()));
  const Settings settings = as_restored(read, problems);
  if (!problems.empty()) return fail(Errc::invalid, "what was restored does not go with the configuration");
  const std::vector<std::string> clock = begin_clock((*ground)->clock, (*ground)->journal->left_off());

  std::unique_ptr<Runtime> runtime(new Runtime(settings, heart, std::move(*ground)));
  Parts parts = make_parts(settings, runtime->surroundings(), problems);
  if (!problems.empty()) return fail(Errc::invalid, "the configuration is wrong");
  runtime->describe_rules(std::move(parts.rule_views));
  runtime->pump_.recover(take_rules(parts));
  runtime->tell_notices();
  runtime->open_state();
  runtime->open_access();
  runtime->adopt(settings.texts, {std::string(state::kItself), "started", {}});
  runtime->note("started", fmt::format("Tidegate {} started", TIDEGATE_VERSION));
  runtime->tell_of(settings);
  for (const std::string& odd : clock) {
    spdlog::warn("{}", odd);
    runtime->note("clock", odd);
  }

  const auto endpoint = parse_endpoint(settings.listen);
  if (!endpoint)
    return fail(Errc::invalid, "'{}' is not an address and a port, such as 127.0.0.1:8080", settings.listen);
  runtime->archivist_ = std::make_unique<Archivist>(  // before anyone asks for its trouble
      *runtime->ground_->journal, Snapshots(*runtime->ground_->journal, settings.storage.directory,
                                            runtime->ground_->clock, settings.commit_every + kOnItsWay));
  if (Status opened = runtime->open_tls(*endpoint); !opened) return fail(std::move(opened.error()));
  Ground& stands_on = *runtime->ground_;
  auto server = dashboard::Server::start(dashboard_options(settings, *endpoint, runtime->tls()), *stands_on.journal,
                                         stands_on.access.get(), *runtime, stands_on.clock, stands_on.metrics);
  if (!server) return fail(server.error());
  runtime->server_ = std::move(*server);
  if (const std::string& trouble = runtime->server_->notice(); !trouble.empty()) {
    spdlog::warn("{}; the gateway goes on without it", trouble);
    runtime->note("http", trouble + "; the gateway goes on without it");
  }
  runtime->pump_thread_ = std::jthread([pump = &runtime->pump_](std::stop_token stop) { pump->run(std::move(stop)); });
  runtime->start_uplinks(settings.uplinks, std::move(parts.uplinks));
  runtime->start_sources(settings.sources, std::move(parts.drivers));
  return runtime;
}

Runtime::~Runtime() { finish(); }

std::uint64_t Runtime::finish() {
  refuse_reloads();  // a worker would wait for this thread, and this thread for the server's
  if (point_writer_) point_writer_->ask_to_stop();
  for (const auto& source : sources_) {  // whoever sets a point, for the server too, waits for its device no longer
    if (source->outlet() != nullptr) source->ask_to_stop();
  }
  server_.reset();
  point_writer_.reset();
  stop(sources_);
  stop(uplinks_);
  if (pump_thread_.joinable()) {
    note("stopped", "Tidegate stopped");
    pump_thread_.request_stop();
    pump_thread_.join();
  }
  return pump_.lost();
}

void Runtime::start_sources(const std::vector<config::Node>& sections,
                            std::vector<std::unique_ptr<drivers::Driver>> drivers) {
  std::vector<std::unique_ptr<Source>> leaving;
  {
    const std::scoped_lock lock(push_mutex_, parts_mutex_);
    takes_pushes_ = true;
    leaving = replace(sources_, sections, [&](std::size_t i) {
      return std::make_unique<Source>(sections[i], std::move(drivers[i]), downstream());
    });
    for (const auto& source : leaving) source->ask_to_stop();  // before anybody pushes to who takes over its series
  }
  stop(leaving);
  for (const auto& source : sources_) source->start();
  start_point_writer();
}

void Runtime::start_uplinks(const std::vector<config::Node>& sections,
                            std::vector<std::unique_ptr<uplink::Uplink>> uplinks) {
  std::vector<std::unique_ptr<uplink::Runner>> leaving;
  {
    const std::lock_guard lock(parts_mutex_);
    leaving = replace(uplinks_, sections, [&](std::size_t i) {
      const config::Node& section = sections[i];
      return std::make_unique<uplink::Runner>(
          uplink::Runner::Section{section.string("name"), section.string("type"), section.canonical()},
          std::move(uplinks[i]), *ground_->journal, ground_->clock, ground_->metrics);
    });
  }
  stop(leaving);
  for (const auto& uplink : uplinks_) uplink->start();
}

void Runtime::describe_rules(std::vector<dashboard::RuleView> views) {
  const std::lock_guard lock(parts_mutex_);
  rule_views_ = std::move(views);
}

void Runtime::note(std::string kind, std::string text) {
  intake_.post(Event{ground_->clock.now(), Notice{std::move(kind), std::move(text)}});
}

/// What is no problem of a configuration, and should be known.
void Runtime::tell_of(const Settings& settings) {
  for (const std::string& notice : settings.notices) {
    spdlog::warn("{}", notice);
    note("configuration", notice);
  }
}

void Runtime::adopt(const config::Texts& texts, const Origin& origin) {
  if (!ground_->state) return;
  if (const auto number = ground_->state->adopt(texts, origin.why, origin.who, origin.note); !number) {
    spdlog::error("this configuration is not kept: {}", number.error().text);
  }
}

/// Those that the log file has not heard of.
void Runtime::tell_notices() {
  const std::vector<std::string> notices = ground_->journal->notices();
  for (; notices_told_ < notices.size(); ++notices_told_) spdlog::error("{}", notices[notices_told_]);
}

std::string Runtime::each_second() {
  pump_.measure();
  tell_notices();
  std::size_t series = 0;
  std::size_t active = 0;
  {
    const std::lock_guard lock(parts_mutex_);
    for (const auto& source : sources_) {
      source->measure();
      series += source->view().series;
    }
  }
  for (const auto& rule : pump_.rule_status()) active += rule.active;
  vitals_.measure(intake_.stats(), ground_->journal->stats(), heart_.age(), ground_->clock.now());
  measure_wear();
  watch_tls();
  maintain_access();
  const dashboard::GatewayView now = view();
  chronicle_.look(now, std::chrono::steady_clock::now());
  watch_peers(now);
  return fmt::format("{} series, {} samples/s, {} active alert{}", series, short_number(pump_.store().rate), active,
                     active == 1 ? "" : "s");
}

void Runtime::maintain_access() {
  constexpr int kEvery = 60;
  if (++seconds_ < kEvery || !ground_->access) return;
  seconds_ = 0;
  ground_->access->maintain();
}

void Runtime::measure_wear() {
  const std::lock_guard lock(parts_mutex_);
  wear_.measure(ground_->clock.now(), bytes_written_to_disk(), pump_.store().samples);
}

dashboard::StoreView Runtime::store_view() const {
  const Pump::Store store = pump_.store();
  const Intake::Stats queue = intake_.stats();
  const journal::Stats stats = ground_->journal->stats();
  dashboard::StoreView view;
  view.rate = store.rate;
  view.commit_p50_ms = store.commit_p50_ms;
  view.commit_p99_ms = store.commit_p99_ms;
  view.queue_depth = queue.depth;
  view.queue_capacity = queue.capacity;
  view.dropped = queue.dropped;
  view.takes_samples = store.takes_samples;
  view.takes_alerts = store.takes_alerts;
  view.alerts_waiting = store.alerts_waiting;
  {
    const std::lock_guard lock(parts_mutex_);
    if (const auto& wear = wear_.figures()) {
      view.wear = dashboard::WearView{wear->bytes_a_sample, wear->bytes_a_day, wear->life_years};
    }
  }
  view.notices = ground_->journal->notices();
  view.used_bytes = stats.used_bytes + stats.history_bytes;
  view.max_bytes = settings_.storage.max_bytes + settings_.storage.max_history_bytes;
  if (!store.trouble.empty()) {
    view.health = SourceHealth::down;
    view.text = store.trouble;
  } else if (const std::string trouble = archivist_->trouble(); !trouble.empty()) {
    view.health = SourceHealth::degraded;
    view.text = trouble;
  } else if (queue.depth > queue.capacity / 2) {
    view.health = SourceHealth::degraded;
    view.text = "the queue is more than half full: samples come faster than the disk takes them";
  }
  return view;
}

dashboard::GatewayView Runtime::view() const {
  dashboard::GatewayView view;
  view.started = started_;
  view.store = store_view();
  view.flood = pump_.flood();
  if (tls_) {
    const auto tls = tls_->tls();
    view.certificate = dashboard::CertificateView{tls->fingerprint(), tls->until(), tls_->is_own(), tls_->trouble()};
  }
  std::unordered_map<std::string, rules::Engine::RuleStatus> status;
  for (auto& rule : pump_.rule_status()) status.emplace(rule.name, rule);
  const std::lock_guard lock(parts_mutex_);
  for (const auto& source : sources_) view.sources.push_back(source->view());
  if (const auto derived = pump_.derived_status(); !derived.empty()) view.sources.push_back(view_of(derived, started_));
  view.rules = rule_views_;
  for (auto& rule : view.rules) {
    if (const auto found = status.find(rule.name); found != status.end()) {
      rule.instances = found->second.instances;
      rule.active = found->second.active;
      rule.unfit = found->second.unfit;
      rule.problems = std::move(found->second.problems);
    }
  }
  for (const auto& uplink : uplinks_) view.uplinks.push_back(view_of(*uplink));
  if (point_writer_) {
    view.uplinks.push_back(view_of(*point_writer_));
    dashboard::UplinkView& points = view.uplinks.back();
    if (points.health == SourceHealth::up) points.text = "nothing is left to be set";
  }
  return view;
}

}  // namespace tidegate::app
