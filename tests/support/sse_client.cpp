#include "tests/support/sse_client.h"

namespace tidegate::test {

SseClient::SseClient(int port, const Options& options) : connection_(port, options.receive_buffer, options.by) {
  ask("127.0.0.1:" + std::to_string(port), options);
}

SseClient::SseClient(const std::filesystem::path& socket, const Options& options) : connection_(socket) {
  ask("localhost", options);
}

void SseClient::ask(const std::string& host, const Options& options) {
  std::string request =
      "GET " + options.path + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/event-stream\r\n" + options.headers;
  if (!options.last_event_id.empty()) request += "Last-Event-ID: " + options.last_event_id + "\r\n";
  connection_.send(request + "\r\n");
}

std::optional<SseEvent> SseClient::next(Milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (ready_.empty()) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
    std::string bytes;
    if (left.count() <= 0 || (!connection_.receive(bytes, left) && connection_.closed())) return {};
    take(bytes);
  }
  seen.push_back(std::move(ready_.front()));
  ready_.pop_front();
  return seen.back();
}

std::optional<SseEvent> SseClient::wait_for(const std::string& name, const std::function<bool(const SseEvent&)>& good,
                                            Milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return {};
    auto event = next(left);
    if (!event) return {};
    if (event->name == name && good(*event)) return event;
  }
}

bool SseClient::ended(Milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!connection_.closed() && std::chrono::steady_clock::now() < deadline) {
    std::string bytes;
    if (connection_.receive(bytes, Milliseconds(100))) take(bytes);
  }
  return connection_.closed();
}

void SseClient::take(const std::string& bytes) {
  unread_ += bytes;
  if (!in_body_) {
    const auto end = unread_.find("\r\n\r\n");
    if (end == std::string::npos) return;
    head_ = unread_.substr(0, end + 4);
    unread_.erase(0, end + 4);
    in_body_ = true;
    body_ = unread_;
  } else {
    body_ += bytes;
  }
  for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
    line(unread_.substr(0, end));
    unread_.erase(0, end + 1);
  }
}

// The interpretation of a line as in the HTML standard, 9.2.6, as far as this server makes use of it.
void SseClient::line(const std::string& text) {
  if (text.empty()) {
    building_.id = last_id_;
    if (!building_.data.empty()) ready_.push_back(building_);
    building_ = {};
    return;
  }
  const auto colon = text.find(':');
  const auto field = text.substr(0, colon);
  auto value = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  if (value.starts_with(' ')) value.erase(0, 1);
  if (field == "event") building_.name = value;
  if (field == "data") building_.data += building_.data.empty() ? value : "\n" + value;
  if (field == "id") last_id_ = value;
  if (field == "retry") retry_ms_ = std::stoi(value);
}

}  // namespace tidegate::test
