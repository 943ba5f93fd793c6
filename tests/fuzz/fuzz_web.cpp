// A whole request through the web server: as cpp-httplib parses and decodes it, past the guards to each route and back
// as a response. Asked by a stranger, by a browser with TLS, and by the machine's own user, who may do anything.

#include <cstdint>
#include <string>
#include <string_view>

#include "dashboard/api.h"
#include "dashboard/web.h"
#include "gateway/access/access.h"
#include "tests/fuzz/response.h"
#include "tests/support/temp_dir.h"

using namespace tidegate;
using namespace tidegate::dashboard;

namespace {

using fuzz::require;

/// Does nothing and counts what it was to do.
class IdleGateway final : public Gateway, RuleDesk, PointDesk {
 public:
  GatewayView view() const override { return view_; }
  Micros stale_after(SeriesId) const override { return Micros{3'000'000}; }
  Result<AlertRecord> ask(const Wish&) override { return refused(); }
  Result<std::string> ask_reload(const std::string&) override { return refused(); }
  Result<Pushed> push(const std::string&, const Push&) override { return refused(); }
  std::vector<std::uint64_t> sample_counts() const override { return {1}; }
  Micros pump_age() const override { return Micros{0}; }
  RuleDesk& rules() override { return *this; }
  PointDesk& points() override { return *this; }
  Result<std::filesystem::path> back_up(const std::string&, const std::function<bool()>&) override { return refused(); }
  Result<std::string> resubmit(std::int64_t, const std::string&) override { return refused(); }
  Status factory_reset(const std::string&) override { return refused(); }
  Result<std::vector<state::StateView::Entry>> deeds(std::size_t, std::optional<std::int64_t>) const override {
    return std::vector<state::StateView::Entry>();
  }
  int asked() const { return asked_; }

 private:
  Result<RuleText> rules_text() const override { return RuleText{"rules: []\n", "e1"}; }
  Result<RuleText> rules_text(std::int64_t version) const override { return fail(Errc::not_found, "{}", version); }
  Result<std::vector<RuleVersion>> rule_versions() const override { return std::vector<RuleVersion>(1); }
  RuleCheck check_rules(const std::string&) const override { return {{}, {"new"}, {}, {}, {}}; }
  Result<RuleSaved> save_rules(const RuleSave&) override { return refused(); }
  Result<RuleSaved> switch_rule(const RuleSwitch&) override { return refused(); }
  std::vector<Point> writable() const override { return {}; }
  Result<std::string> write(const PointWrite&) override { return refused(); }
  tl::unexpected<Error> refused() {
    ++asked_;
    return fail(Errc::not_found, "there is nothing");
  }

  GatewayView view_;
  int asked_ = 0;
};

/// All that stands behind a server but its sockets and threads.
struct Box {
  Box() {
    const SeriesId series = journal->catalogue().intern("boiler/temperature", {}).value();
    Batch batch;
    batch.samples.push_back({.series = series, .time = clock.now(), .value = 20.5});
    journal->append(std::move(batch)).value();
  }

  test::TempDir directory;
  FakeClock clock{Timestamp{std::chrono::seconds(1'700'000'000)}};
  Metrics metrics;
  IdleGateway gateway;
  std::unique_ptr<journal::Journal> journal =
      journal::Journal::open({.directory = directory.path()}, clock, metrics).value();
  std::unique_ptr<state::State> state = state::State::open(directory.path(), clock).value();
  std::unique_ptr<access::Access> access = access::Access::open(*state, directory.path(), clock).value();
  const Options options{.name = "box", .version = "1.2.3"};
  const Gate gate{access.get(), 8080};
  Backups backups{gateway, clock, "box"};
  Backend backend{options, *journal, gateway, clock, metrics, access.get(), gate, backups};
  Web web{backend, HostAllowList({"gateway-7"}), {}};
};

/// As the Front hands one on: its head without what was settled there, its body in one piece. Empty where it hands on
/// none.
std::string framed(std::string_view bytes) {
  const RequestLimits limits{.takes_samples = takes_samples};
  std::size_t searched = 0;
  RequestFrame frame = frame_request(bytes, searched, limits);
  if (frame.state != RequestFrame::State::complete) return {};
  std::string in(bytes);
  if (frame.chunked && join_chunks(in, frame, limits) != RequestFrame::State::complete) return {};
  if (in.size() < frame.head_bytes + frame.body_bytes) return {};
  return frame.head + in.substr(frame.head_bytes, frame.body_bytes);
}

void check_answer(const Answer& answer, std::string_view request) {
  if (answer.stream || answer.backup) return require(answer.bytes.empty() && request.starts_with("GET "));
  fuzz::require_response(answer.bytes, request.starts_with("HEAD "), answer.close);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static Box box;
  const std::string request = framed({reinterpret_cast<const char*>(bytes), size});
  if (request.empty()) return 0;
  const int before = box.gateway.asked();
  for (const Peer& stranger : {Peer{"192.0.2.7", 40'000}, Peer{"192.0.2.7", 40'001, true}}) {
    const Answer answer = box.web.answer(request, stranger, false);
    require(!answer.stream && !answer.backup && box.gateway.asked() == before);
    check_answer(answer, request);
  }
  check_answer(box.web.answer(request, {std::string(kLocal)}, true), request);
  return 0;
}
