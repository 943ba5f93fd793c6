#include "dashboard/gzip.h"

#include <zlib.h>

#include <array>

namespace tidegate::dashboard {

std::optional<std::string> unzipped(std::string_view gzip, std::size_t most) {
  constexpr int kGzipWindow = 16 + MAX_WBITS;
  z_stream zip{};
  if (inflateInit2(&zip, kGzipWindow) != Z_OK) return std::nullopt;
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  zip.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  std::array<char, 16'384> buffer;
  int status = Z_OK;
  while (status == Z_OK && out.size() <= most) {
    zip.next_out = reinterpret_cast<Bytef*>(buffer.data());
    zip.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&zip, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - zip.avail_out);
  }
  inflateEnd(&zip);
  if (status != Z_STREAM_END || out.size() > most) return std::nullopt;
  return out;
}

}  // namespace tidegate::dashboard
