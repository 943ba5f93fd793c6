// The code without which an admin who is not at the box cannot reset it.

#include "gateway/access/access.h"
#include "gateway/access/secret.h"

namespace tidegate::access {

Result<std::string> Access::make_reset_code(const Identity& by) {
  std::string code = random_code();
  if (Status kept = state_.record({by.name, "reset code", "", ""}); !kept) return fail(std::move(kept.error()));
  const std::lock_guard lock(mutex_);
  reset_code_ = ResetCode{code, uptime() + kResetCodeLasts};
  return code;
}

Status Access::check_reset_code(std::string_view code, const Attempt& attempt) {
  if (Status status = begin_attempt(attempt, true); !status) return status;
  {
    const std::lock_guard lock(mutex_);
    const bool is_good = reset_code_ && uptime() < reset_code_->until;
    if (!is_code(code, is_good ? reset_code_->code : "")) {
      return fail(Errc::not_found,
                  "the code is wrong, or too old: on the box `tidegate reset-code` prints one, for an hour");
    }
  }
  succeed(attempt);
  return {};
}

void Access::spend_reset_code() {
  const std::lock_guard lock(mutex_);
  reset_code_.reset();
}

}  // namespace tidegate::access
