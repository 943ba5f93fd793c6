#include "gateway/uplink/mqtt/compress.h"

#include <zlib.h>
#include <zstd.h>

#include <cassert>

namespace tidegate::uplink::mqtt {
namespace {

std::string gzip(const std::string& text) {
  constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for gzip's header
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  [[maybe_unused]] const int done = deflate(&stream, Z_FINISH);
  assert(done == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  constexpr int kLevel = 3;
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), kLevel);
  assert(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

}  // namespace

std::string compress(std::string text, Compression how) {
  if (how == Compression::none) return text;
  return how == Compression::gzip ? gzip(text) : zstd(text);
}

}  // namespace tidegate::uplink::mqtt
