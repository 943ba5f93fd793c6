#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dashboard/tls.h"
#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// Has the certificate that new connections get: the user's own, read again when its files change, or one that is made
/// here. What is in use stays until there is a better one.
class TlsKeeper {
 public:
  struct Options {
    Tls::Files own;                                   ///< both empty: one is made
    std::filesystem::path folder;                     ///< of the one that is made
    std::function<std::vector<std::string>()> names;  ///< that it is for, at this moment
  };
  /// What somebody should know.
  struct News {
    bool good;
    std::string text;
  };

  /// `now`: none while the clock is not set.
  static Result<std::unique_ptr<TlsKeeper>> open(Options options, std::optional<Timestamp> now);

  /// Any thread; never null.
  std::shared_ptr<const Tls> tls() const;
  /// Why the files that are there now are not in use; empty where they are. Any thread.
  std::string trouble() const;
  bool is_own() const { return !options_.own.certificate.empty(); }

  /// Each some seconds: have the files changed, does the certificate end soon? Each thing is told once. One thread.
  std::vector<News> look(std::optional<Timestamp> now);

 private:
  /// An address that comes and goes is worth no question of a browser: so many looks it has to be there.
  static constexpr int kLooks = 6;

  explicit TlsKeeper(Options options) : options_(std::move(options)) {}

  std::string stamp() const;
  void look_at_files(std::vector<News>& news);
  void look_at_names(std::optional<Timestamp> now, std::vector<News>& news);
  void renew(std::optional<Timestamp> now, const std::vector<std::string>& wanted, std::vector<News>& news);
  void look_at_times(Timestamp now, std::vector<News>& news);
  void look_at_mode(std::vector<News>& news) const;
  void use(std::shared_ptr<const Tls> tls);
  void set_trouble(std::string text);

  const Options options_;
  std::vector<News> first_;  ///< what was found at the start
  std::string stamp_;        ///< of the files that were looked at last
  bool is_told_ = true;      ///< and what came of them
  int warned_ = 0;           ///< of the certificate's end: how urgently
  int lacked_ = 0;           ///< so many looks in a row it lacked a name

  mutable std::mutex mutex_;  ///< guards the two
  std::shared_ptr<const Tls> tls_;
  std::string trouble_;
};

}  // namespace tidegate::dashboard
