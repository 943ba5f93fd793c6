#include <fmt/format.h>

#include <set>

#include "gateway/tools/files.h"
#include "gateway/tools/output.h"
#include "gateway/tools/progress.h"
#include "gateway/tools/store.h"

namespace tidegate::tools {
namespace {

class Check {
 public:
  Check(const Surroundings& surroundings, std::size_t files) : surroundings_(surroundings), all_(files) {}

  Status look_at(const StoreFile& file, bool may_be_gone) {
    name_ = file.path.filename().string();
    const auto checked = file.check({[this](const journal::Damage& damage) { tell(damage); },
                                     [this](std::uint64_t samples) { show(samples); }, surroundings_.stop});
    if (checked) {
      ++files_;
      samples_ += checked->samples;
      return {};
    }
    if (checked.error().code == Errc::stopped) return fail(checked.error());
    if (checked.error().code != Errc::not_found) {
      ++unknown_;
      print(checked.error().text);
    } else if (!may_be_gone) {
      tell({file.path, "", "is missing"});
    }
    return {};
  }

  Result<int> verdict() {
    print(in_words());
    if (Status status = output_.flush(); !status) return fail(std::move(status.error()));
    if (damages_ > 0) return kDamaged;
    return unknown_ > 0 ? kFailed : kDone;
  }

 private:
  void tell(const journal::Damage& damage) {
    ++damages_;
    salvageable_ = salvageable_ || !damage.missing;
    damaged_.insert(damage.file);
    print(tools::in_words(damage, surroundings_.store));
  }
  void show(std::uint64_t samples) {
    progress_.show([&] {
      return fmt::format("{} ({} of {}): {}", name_, files_ + unknown_ + 1, counted(all_, "file", "files"),
                         counted(samples, "sample", "samples"));
    });
  }
  void print(const std::string& line) {
    progress_.clear();
    static_cast<void>(output_.write(line + '\n'));  // flush() tells
  }

  std::string in_words() const {
    std::string text = fmt::format("{} with {} checked: ", counted(files_, "file", "files"),
                                   counted(samples_, "stored sample", "stored samples"));
    text += damages_ == 0 ? "no damage"
                          : fmt::format("{} in {}", counted(damages_, "damage", "damages"),
                                        counted(damaged_.size(), "file", "files"));
    if (salvageable_) {
      text += "; a running gateway mends what it meets, `tidegate store salvage` does so while it is stopped";
    }
    if (unknown_ > 0) text += fmt::format("; {} could not be checked", counted(unknown_, "file", "files"));
    return text;
  }

  const Surroundings& surroundings_;
  const std::size_t all_;
  Output output_;
  Progress progress_;
  std::string name_;  ///< of the file at hand
  std::uint64_t files_ = 0, samples_ = 0, damages_ = 0, unknown_ = 0;
  bool salvageable_ = false;
  std::set<std::filesystem::path> damaged_;
};

}  // namespace

Result<int> store_check(const Surroundings& surroundings) {
  const auto files = store_files(surroundings.store);
  if (!files) return fail(files.error());
  Check check(surroundings, files->size());
  for (const StoreFile& file : *files) {
    const bool is_log = &file == &files->front();  // of the others retention may take one meanwhile
    if (Status status = check.look_at(file, !is_log); !status) return fail(std::move(status.error()));
  }
  return check.verdict();
}

}  // namespace tidegate::tools
