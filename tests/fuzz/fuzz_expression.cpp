// Any text as an expression: parsed, printed, parsed again; bound to series of every kind and run over samples. Asked
// often or seldom, as it was written or in its canonical form, it says the same; and what it says is a number.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "rules/expr/expression.h"

namespace {

using namespace tidegate;
using namespace tidegate::rules::expr;

constexpr Timestamp kStart{std::chrono::seconds(1'700'000'000)};

void insist(bool holds) {
  if (!holds) std::abort();
}

const std::vector<Input>& kinds() {
  static const std::vector<Input> kKinds = [] {
    std::vector<Input> made;
    for (const char* unit : {"", "°C", "°F", "bar", "s", "kWh"}) {
      made.emplace_back();
      made.back().values.unit = unit;
    }
    made[1].stale_after = std::chrono::seconds(70);
    made[5].values.kind = SeriesKind::counter;
    made.emplace_back().values.kind = SeriesKind::boolean;
    made.emplace_back().values.kind = SeriesKind::state;
    made.back().values.states = {"closed", "open", "ajar"};
    return made;
  }();
  return kKinds;
}

/// One of the kinds for each reference, by `choice`; the ninth is none.
struct Bound {
  Program program;
  std::vector<std::size_t> members;  ///< inputs of the patterns' members
};

std::optional<Bound> bound(const Expression& expression, std::size_t choice) {
  std::vector<const Input*> inputs;
  for (std::size_t i = 0; i < expression.references().size(); ++i) {
    const std::size_t which = (choice + i * (1 + choice / 9)) % 9;
    inputs.push_back(which < kinds().size() ? &kinds()[which] : nullptr);
  }
  auto made = Program::bind(expression, inputs);
  if (auto* problem = std::get_if<Problem>(&made)) {
    insist(!problem->text.empty());
    return std::nullopt;
  }
  Bound out{std::get<Program>(std::move(made)), {}};
  for (std::size_t i = 0; i < expression.references().size(); ++i) {
    if (expression.references()[i].kind != Reference::Kind::pattern) continue;
    for (std::size_t member = 0; member < 3; ++member) {
      const auto added = out.program.add_member(i, kinds()[(choice + member / 2) % kinds().size()]);
      if (const auto* input = std::get_if<std::size_t>(&added)) out.members.push_back(*input);
    }
  }
  return out;
}

void compare(const Value& one, const Value& other, Type type) {
  insist(one.known == other.known);
  insist(!one.known || one.value == other.value);
  insist(!one.known || std::isfinite(one.value));
  insist(!one.known || type != Type::boolean || one.value == 0 || one.value == 1);
}

/// `inputs` may be more than there are.
void run(const Expression& expression, const Expression& canonical, std::size_t choice) {
  std::optional<Bound> one = bound(expression, choice), other = bound(canonical, choice);
  insist(one.has_value() == other.has_value());
  if (!one) return;
  insist(one->members == other->members);
  Program *often = &one->program, *seldom = &other->program;
  std::vector<std::size_t> inputs = one->members;
  for (std::size_t i = 0; i < expression.references().size(); ++i) {
    if (expression.references()[i].kind != Reference::Kind::pattern) inputs.push_back(i);
  }
  constexpr double kHuge = std::numeric_limits<double>::max(), kNone = std::numeric_limits<double>::quiet_NaN();
  Timestamp now = kStart;
  int step = 0;
  for (const double value : {0.0, 1.0, 50.0, 20.0, 95.0, -1e300, kNone, kHuge, -kHuge, 80.0, 5e-324, 2.0, 0.5, 1.0}) {
    for (const std::size_t i : inputs) {
      const Quality quality = (step + static_cast<int>(i)) % 5 == 4 ? Quality::bad : Quality::good;
      const Sample sample{SeriesId{0}, quality, Reason::none, now, i % 2 == 0 ? value : -value};
      often->observe(i, sample);
      seldom->observe(i, sample);
      compare(often->evaluate(now), often->evaluate(now), often->type());
    }
    compare(often->evaluate(now), seldom->evaluate(now), often->type());
    const Timestamp next = now + std::chrono::milliseconds(step % 4 == 3 ? 100'000 : 900 * step);
    for (int wakes = 0; wakes < 20 && often->wake() < next; ++wakes) {
      const Timestamp wake = often->wake();
      insist(wake >= now);
      often->evaluate(wake);
      insist(often->wake() > wake);
    }
    now = next;
    ++step;
  }
  compare(often->evaluate(now), seldom->evaluate(now), often->type());
  insist(often->lookback() >= Micros{0});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size > 1024) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto read = Expression::parse(text);
  if (const auto* problem = std::get_if<Problem>(&read)) {
    insist(!problem->text.empty());
    insist(problem->at.begin <= problem->at.end && problem->at.end <= size);
    return 0;
  }
  const Expression& expression = std::get<Expression>(read);
  const std::string form = expression.text();
  const auto again = Expression::parse(form);
  insist(std::holds_alternative<Expression>(again));
  insist(std::get<Expression>(again).text() == form);
  for (std::size_t choice = 0; choice < 18; choice += 1 + size % 3)
    run(expression, std::get<Expression>(again), choice);
  return 0;
}
