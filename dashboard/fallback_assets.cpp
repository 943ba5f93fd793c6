// In place of the page where its build is missing, so that the API can be built and tested without Node.js.

#include <zlib.h>

#include <array>
#include <string>

#include "dashboard/assets.h"

namespace tidegate::dashboard {
namespace {

std::string zipped(std::string_view text) {
  constexpr int kGzipWindow = 16 + MAX_WBITS, kMemoryLevel = 8;
  z_stream zip{};
  deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zip, static_cast<uLong>(text.size())), '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zip.avail_in = static_cast<uInt>(text.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  deflate(&zip, Z_FINISH);
  out.resize(zip.total_out);
  deflateEnd(&zip);
  return out;
}

}  // namespace

std::span<const Asset> assets() {
  static const std::string kPage = zipped(
      "<!doctype html><html lang=\"en\"><title>Tidegate</title><p>This build has no page: Node.js was missing when it "
      "was "
      "made. The API is at /api/v1/, the metrics at /metrics.</p></html>\n");
  static const std::array<Asset, 1> kAssets = {
      {{"/index.html", "text/html; charset=utf-8", "\"not-built\"", kPage, false}}};
  return kAssets;
}

}  // namespace tidegate::dashboard
