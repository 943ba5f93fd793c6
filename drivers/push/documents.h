#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/field_points.h"
#include "drivers/payload.h"
#include "drivers/push/options.h"

namespace tidegate::drivers::push {

/// Any JSON, as webhooks send it, read as the source says. Who the series belong to may stand in the document; what is
/// known of each is kept in a bounded table. One thread.
class Documents {
 public:
  /// `rule` outlives it.
  Documents(const DocumentRule& rule, std::string source);

  /// Adds the samples of a document. What is wrong with some values, in words. Errc::invalid: it cannot be read.
  Result<std::string> take(Sink& sink, std::string_view body, Timestamp now, std::vector<Sample>& samples);

 private:
  Result<std::string> owner_of(std::span<const Leaf> leaves) const;
  FieldPoints& points_of(const std::string& owner);

  const DocumentRule& rule_;
  const std::string source_;
  Decoder decoder_;
  std::map<std::string, std::unique_ptr<FieldPoints>> points_;  ///< by the template with all but {field} filled in
};

}  // namespace tidegate::drivers::push
