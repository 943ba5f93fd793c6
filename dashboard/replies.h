#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "dashboard/api.h"
#include "dashboard/json.h"

/// What the files of the API share.
namespace tidegate::dashboard {

Reply failed(const Error& error);
int status_of(Errc code);
Reply json_reply(std::string body);

/// What `before` takes to go on behind an item: ListPage.
std::string cursor(std::int64_t id);
std::string cursor(const journal::StoredEvent& event);
/// Of a list that was asked for with one item beyond its page: takes that off, and gives the cursor to go on with, or
/// null. `cursor_of` makes one of an item.
template <class Item, class CursorOf>
Json next_page(std::vector<Item>& items, std::size_t limit, const CursorOf& cursor_of) {
  if (items.size() <= limit) return nullptr;
  items.pop_back();
  return cursor_of(items.back());
}
/// The parameters of a list that is given in pages.
inline constexpr std::array<std::string_view, 2> kPageParameters = {"limit", "before"};

/// The routes of each file.
std::span<const Route> reading_routes();
std::span<const Route> alert_routes();
std::span<const Route> rule_routes();
std::span<const Route> push_routes();
std::span<const Route> point_routes();
std::span<const Route> access_routes();

}  // namespace tidegate::dashboard
