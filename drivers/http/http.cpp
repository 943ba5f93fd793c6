#include "drivers/http/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "drivers/http/client.h"
#include "drivers/http/content.h"
#include "drivers/http/options.h"
#include "drivers/polled.h"
#include "drivers/series_name.h"
#include "gateway/config/certificates.h"
#include "gateway/core/time_text.h"

namespace tidegate::drivers::http {
namespace {

constexpr Micros kLookAtFiles = std::chrono::hours(1);

/// Of the servers of a source: whose certificate ends first is what is shown. Any thread.
class Ends {
 public:
  explicit Ends(const Context& context) : context_(context) {}
  void note(const std::string& server, Timestamp ends) {
    const std::lock_guard lock(mutex_);
    ends_[server] = ends;
    const auto first =
        std::min_element(ends_.begin(), ends_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    config::show_end(context_.metrics, "source/" + context_.source, first->second);
  }

 private:
  const Context context_;
  std::mutex mutex_;
  std::map<std::string, Timestamp> ends_;  ///< by URL
};

/// A URL. What it answered last is kept, for an answer that says that nothing has changed.
class Page final : public PolledDevice {
 public:
  Page(Request request, NameOfField name, std::shared_ptr<Ends> ends)
      : tls_(request.http.tls),
        ends_(std::move(ends)),
        where_(shown(request.http.url)),
        get_(request.http.method == "GET"),
        content_(make_content(request.content, std::move(name), request.every, request.http.max_bytes)),
        client_(std::move(request.http)) {}

  Status open(Sink& sink) override { return content_->open(sink); }

  Result<std::string> read(std::size_t, Turn& turn) override {
    turned_away_.reset();
    auto answer = client_.ask(last_.version, turn.stop);
    look_at_certificates(turn.clock.now());
    if (!answer) {
      if (answer.error().code == Errc::full) turned_away_ = Micros{0};  // no use to load so much every few seconds
      return fail(answer.error());
    }
    const bool same = answer->status == 304 && kept_;
    if (!same) {
      if (Status fine = check(*answer); !fine) {
        turned_away_ = answer->retry_after.value_or(Micros{0});
        return fail(fine.error());
      }
      last_ = std::move(*answer);
    }
    const Timestamp now = turn.clock.now();
    auto problem = content_->take(turn.sink, last_.body, now, turn.samples);
    if (problem) {
      keep();
      refused_.clear();
      return problem->empty() ? "" : fmt::format("{}: {}", where_, *problem);
    }
    content_->lose(Reason::device_fault, now, turn.samples);
    refuse(turn.sink, problem.error().text);
    return fmt::format("{}: {}", where_, problem.error().text);
  }

  std::optional<Micros> turned_away() const override { return turned_away_; }
  std::string notice() const override { return notice_; }

  void lose(std::size_t, Reason why, Turn& turn) override { content_->lose(why, turn.clock.now(), turn.samples); }

 private:
  static constexpr int kGood = 200, kEndOfGood = 300, kUnauthorized = 401, kForbidden = 403, kBusy = 429, kServer = 500;

  Status check(const Answer& answer) const {
    const int status = answer.status;
    if (status >= kGood && status < kEndOfGood) return {};
    if (status >= kEndOfGood && status < 400)
      return fail(Errc::invalid, "{}: answers {}: write the URL that it points to, or allow 'redirects'", where_,
                  status);
    if (status == kUnauthorized || status == kForbidden)
      return fail(Errc::invalid, "{}: answers {}: is what 'auth' and 'headers' say right?", where_, status);
    const bool later = status == kBusy || status >= kServer;
    const std::string when =
        answer.retry_after ? fmt::format(", and may be asked again in {}", duration_text(*answer.retry_after)) : "";
    return fail(later ? Errc::unavailable : Errc::invalid, "{}: answers {}{}", where_, status, when);
  }

  /// The server's, and the files that are used there.
  void look_at_certificates(Timestamp now) {
    const auto ends = client_.certificate_ends();
    if (!ends || (ends == certificate_ends_ && now - looked_ < kLookAtFiles)) return;
    certificate_ends_ = ends;
    looked_ = now;
    ends_->note(where_, *ends);
    notice_ = config::ends_soon(tls_, {"server", ends}, now);
  }

  /// Only what could be read is what the next answer may refer to.
  void keep() {
    kept_ = get_ && !(last_.version.etag.empty() && last_.version.modified.empty());
    if (kept_) return;
    last_ = {};
  }

  /// Once, and again when something else is wrong.
  void refuse(Sink& sink, const std::string& reason) {
    if (reason != refused_) sink.reject(where_, last_.body, reason);
    refused_ = reason;
    kept_ = false;
    last_ = {};
  }

  const config::ClientTls tls_;
  const std::shared_ptr<Ends> ends_;
  const std::string where_;
  const bool get_;
  std::unique_ptr<Content> content_;
  Client client_;
  Answer last_;
  bool kept_ = false;
  std::string refused_;  ///< why
  std::optional<Micros> turned_away_;
  std::optional<Timestamp> certificate_ends_;
  Timestamp looked_{};  ///< at certificates
  std::string notice_;
};

NameOfField name_of_field(const Template& series, const std::string& source, const std::string& request) {
  return [=](std::string_view field) {
    return without_empty_levels(series.render([&](std::string_view place) -> std::optional<std::string> {
      return place == "source" ? source : place == "request" ? request : std::string(field);
    }));
  };
}

std::string in_words(const std::vector<Request>& requests) {
  const auto [least, most] = std::minmax_element(requests.begin(), requests.end(),
                                                 [](const auto& a, const auto& b) { return a.every < b.every; });
  const std::string every = least->every == most->every
                                ? duration_text(least->every)
                                : duration_text(least->every) + " to " + duration_text(most->every);
  return requests.size() == 1 ? fmt::format("{}, every {}", shown(requests[0].http.url), every)
                              : fmt::format("{} URLs, every {}", requests.size(), every);
}

std::unique_ptr<Driver> make(const config::Node& section, const Context& context, config::Problems& problems) {
  config::Problems own;
  Options options = read_options(section, own);
  for (const auto& problem : own.sorted()) problems.add(problem.at, problem.what);
  if (!own.empty()) return nullptr;
  std::string what = in_words(options.requests);
  std::vector<Polled> pages;
  const auto ends = std::make_shared<Ends>(context);
  for (Request& request : options.requests) {
    std::string name = request.name;
    std::string server = server_of(request.http.url);
    const Micros every = request.every;
    auto page = std::make_unique<Page>(std::move(request), name_of_field(options.series, context.source, name), ends);
    pages.push_back({std::move(name), {every}, std::move(page), std::move(server)});
  }
  return make_polled(std::move(pages), std::move(what), context);
}

}  // namespace

DriverType type() { return {"http", "Polls URLs: JSON, text, Prometheus' metrics.", shape(), make}; }

}  // namespace tidegate::drivers::http
