#include "dashboard/tls_keeper.h"

#include <sys/stat.h>

#include <utility>

#include "dashboard/self_signed.h"
#include "gateway/config/certificates.h"
#include "gateway/core/time_text.h"

namespace tidegate::dashboard {
namespace {

std::string in_use(const Tls& tls) {
  return fmt::format("valid until {}, fingerprint (SHA-256) {}", rfc3339_seconds(tls.until()), tls.fingerprint());
}

}  // namespace

Result<std::unique_ptr<TlsKeeper>> TlsKeeper::open(Options options, std::optional<Timestamp> now) {
  std::unique_ptr<TlsKeeper> keeper(new TlsKeeper(std::move(options)));
  if (keeper->is_own()) {
    keeper->stamp_ = keeper->stamp();
    auto tls = Tls::load(keeper->options_.own);
    if (!tls) return fail(tls.error());
    keeper->use(std::move(*tls));
    keeper->look_at_mode(keeper->first_);
    return keeper;
  }
  auto made = self_signed(keeper->options_.folder, keeper->options_.names(), now);
  if (!made) return fail(made.error());
  for (std::string& text : made->told) keeper->first_.push_back({false, std::move(text)});
  keeper->use(std::move(made->tls));
  return keeper;
}

std::shared_ptr<const Tls> TlsKeeper::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

std::string TlsKeeper::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void TlsKeeper::use(std::shared_ptr<const Tls> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
  trouble_.clear();
  warned_ = 0;
}

void TlsKeeper::set_trouble(std::string text) {
  const std::lock_guard lock(mutex_);
  trouble_ = std::move(text);
}

std::vector<TlsKeeper::News> TlsKeeper::look(std::optional<Timestamp> now) {
  std::vector<News> news = std::exchange(first_, {});
  if (is_own()) {
    look_at_files(news);
  } else if (due(*tls(), now)) {
    renew(now, {}, news);
  } else {
    look_at_names(now, news);
  }
  if (now) look_at_times(*now, news);
  return news;
}

/// Of both files: another one has another.
std::string TlsKeeper::stamp() const {
  std::string out;
  for (const auto& path : {options_.own.certificate, options_.own.key}) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return out + "-";
    out += fmt::format("{}:{}:{}:{}.{} ", file.st_dev, file.st_ino, file.st_size, file.st_ctim.tv_sec,
                       file.st_ctim.tv_nsec);
  }
  return out;
}

// Files that do not belong together may be half of a renewal: that is told once they have stayed so.
void TlsKeeper::look_at_files(std::vector<News>& news) {
  const std::string stamp_now = stamp();
  const bool changed = stamp_now != stamp_;
  if (!changed && is_told_) return;
  stamp_ = stamp_now;
  auto tls_now = Tls::load(options_.own);
  if (tls_now) {
    const bool another = (*tls_now)->fingerprint() != tls()->fingerprint();
    const bool mended = !trouble().empty();
    if (another || mended) news.push_back({true, "the dashboard's certificate is now " + in_use(**tls_now)});
    if (another || mended) use(std::move(*tls_now));
    look_at_mode(news);
  } else if (!changed) {
    set_trouble(tls_now.error().text);
    news.push_back({false, tls_now.error().text + "; the certificate from before stays in use"});
  }
  is_told_ = tls_now || !changed;
}

// At a start it may be that the network comes up only now; nobody has to be asked again for an address that is gone.
void TlsKeeper::look_at_names(std::optional<Timestamp> now, std::vector<News>& news) {
  const auto current = tls();
  const auto wanted = lacking(*current, options_.names());
  lacked_ = wanted.empty() ? 0 : lacked_ + 1;
  if (lacked_ < kLooks || current->names().size() >= kMostNames) return;
  lacked_ = 0;
  renew(now, wanted, news);
}

void TlsKeeper::renew(std::optional<Timestamp> now, const std::vector<std::string>& wanted, std::vector<News>& news) {
  auto made = self_signed(options_.folder, options_.names(), now, wanted);
  std::string trouble_now;
  if (!made) {
    trouble_now = "the certificate cannot be renewed: " + made.error().text;
  } else if (!made->told.empty()) {
    trouble_now = made->told.front();
  }
  if (!trouble_now.empty()) {
    if (trouble() != trouble_now) news.push_back({false, trouble_now});
    return set_trouble(std::move(trouble_now));
  }
  const std::string why = wanted.empty() ? "" : fmt::format(" for {}", fmt::join(wanted, ", "));
  news.push_back({true, fmt::format("the certificate was renewed{}; browsers ask once more whether to trust it: {}",
                                    why, in_use(*made->tls))});
  use(std::move(made->tls));
}

void TlsKeeper::look_at_times(Timestamp now, std::vector<News>& news) {
  const auto current = tls();
  const int urgent = now < current->from() ? 1 : config::urgency(current->until() - now);
  if (urgent <= warned_) return;
  warned_ = urgent;
  if (now < current->from()) {
    news.push_back({false, fmt::format("the dashboard's certificate is not valid before {}: browsers refuse it until "
                                       "then; is this machine's clock right?",
                                       rfc3339_seconds(current->from()))});
  } else if (now >= current->until()) {
    news.push_back({false, fmt::format("the dashboard's certificate ended at {}: browsers refuse it; put a new one in "
                                       "its place",
                                       rfc3339_seconds(current->until()))});
  } else {
    news.push_back({false, fmt::format("the dashboard's certificate ends in {}, at {}: put a new one in its place",
                                       age_text(current->until() - now), rfc3339_seconds(current->until()))});
  }
}

void TlsKeeper::look_at_mode(std::vector<News>& news) const {
  struct stat file {};
  if (::stat(options_.own.key.c_str(), &file) != 0 || (file.st_mode & (S_IRWXO | S_IWGRP)) == 0) return;
  news.push_back({false, fmt::format("{} may be read or changed by others, who can pass for this gateway then: "
                                     "chmod 600 {}",
                                     options_.own.key.string(), options_.own.key.string())});
}

}  // namespace tidegate::dashboard
