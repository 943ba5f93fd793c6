// The one file that sees yaml-cpp. Its events rather than its nodes: they tell the place of every key and every alias,
// and let us stop at a bound while reading.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "gateway/config/load.h"
#include "gateway/config/references.h"
#include "gateway/config/source_text.h"
#include "gateway/core/text.h"

namespace tidegate::config {
namespace {

/// Thrown out of the parser when reading on makes no sense; the problem is told already.
struct Stop {};

struct Extent {
  std::size_t nodes = 0;
  std::size_t depth = 0;
};

Extent extent(const Node& node) {
  Extent all{1, 1};
  const auto include = [&all](const Node& child) {
    const Extent inner = extent(child);
    all.nodes += inner.nodes;
    all.depth = std::max(all.depth, inner.depth + 1);
  };
  for (const Node& item : node.items) include(item);
  for (const Node::Entry& entry : node.entries) include(entry.value);
  return all;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(SourceText& source, ReferenceResolver& resolver, Problems& problems)
      : source_(source), resolver_(resolver), problems_(problems) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) stop(place(mark), "a second document begins here; a file holds one (leave out the '---')");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) stop(place(mark), "a key is missing here");
    // The parser places what is missing at whatever comes next; its key or list is what the user looks for.
    const Mark at = open_.empty() ? place(mark) : in_map() ? open_.back().key.at : open_.back().node.at;
    put(Node(Node::Kind::null, at), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(place(mark), "this alias stands within its own anchor");
    if (expects_key()) stop(place(mark), "a key must be plain text, not an alias");
    const Extent size = extent(found->second);
    if (open_.size() + size.depth > kMaxDepth) stop_too_deep(mark);
    count(size.nodes, place(mark));
    put(found->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (expects_key()) return put_key(mark, tag, value);
    const Mark at = place(mark);
    count(1, at);
    put(scalar(at, tag, value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::list, mark, tag, "tag:yaml.org,2002:seq", anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::map, mark, tag, "tag:yaml.org,2002:map", anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    close();
  }

 private:
  /// A list or map whose end was not read yet.
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;
    Node::Entry key;        ///< the entry whose value comes next
    bool drop = false;      ///< that value belongs to a refused key
    bool is_merge = false;  ///< that key is `<<`
    std::vector<Node> merges;
    std::unordered_map<std::string, int> lines;  ///< of the keys read
  };

  Mark place(const YAML::Mark& mark) { return source_.place(mark.line, mark.column); }
  bool in_map() const { return !open_.empty() && open_.back().node.kind == Node::Kind::map; }
  bool expects_key() const { return in_map() && !open_.back().has_key; }

  [[noreturn]] void stop(const Mark& at, std::string what) {
    problems_.add(at, std::move(what));
    throw Stop{};
  }
  [[noreturn]] void stop_too_deep(const YAML::Mark& mark) {
    stop(place(mark), fmt::format("nested deeper than {} levels", kMaxDepth));
  }

  void count(std::size_t nodes, const Mark& at) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) {
      stop(at, fmt::format("more than {} values; an alias counts as all that it stands for", kMaxNodes));
    }
  }

  Node scalar(const Mark& at, const std::string& tag, const std::string& value) {
    Node node(Node::Kind::scalar, at);
    node.text = value;
    if (tag == "?") return node;
    node.quoted = true;
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return node;
    if (!ReferenceResolver::knows(tag)) {
      problems_.add(at, ReferenceResolver::unknown_tag(tag));
      node.refused = true;
      return node;
    }
    node.secret = true;
    const auto resolved = resolver_.resolve(tag, value, at);
    node.text = resolved.value_or("");
    node.refused = !resolved;
    return node;
  }

  void put_key(const YAML::Mark& mark, const std::string& tag, const std::string& key) {
    const Mark at = place(mark);
    if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str") stop(at, "a key must be plain text, without a tag");
    Open& map = open_.back();
    const auto [first, is_new] = map.lines.emplace(key, at.line);
    if (!is_new) {
      problems_.add(at, fmt::format("key '{}' is already set on line {}", printable(key), first->second));
      map.node.refused = true;
    }
    map.has_key = true;
    map.drop = !is_new;
    map.is_merge = tag == "?" && key == "<<";
    map.key = {key, at, {}};
  }

  void put(Node value, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      count(extent(value).nodes, value.at);  // the anchor keeps a copy
      anchors_[anchor] = value;
    }
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (in_map()) {
      put_value(open_.back(), std::move(value));
    } else {
      open_.back().node.items.push_back(std::move(value));
    }
  }

  static void put_value(Open& map, Node value) {
    map.has_key = false;
    if (map.drop) return;
    if (map.is_merge) {
      map.merges.push_back(std::move(value));
      return;
    }
    map.key.value = std::move(value);
    map.node.entries.push_back(std::move(map.key));
  }

  /// YAML's merge key: `<<: *defaults` or `<<: [*one, *two]` adds what the map does not set itself.
  void merge(Open& map) {
    for (Node& value : map.merges) {
      if (value.kind == Node::Kind::list) {
        for (Node& item : value.items) merge_one(map, item);
      } else {
        merge_one(map, value);
      }
    }
  }

  void merge_one(Open& map, Node& from) {
    if (from.kind != Node::Kind::map) {
      problems_.add(from.at, "'<<' takes a map or a list of maps, as in `<<: *defaults`");
      map.node.refused = true;
      return;
    }
    for (Node::Entry& entry : from.entries) {
      if (map.lines.emplace(entry.key, entry.at.line).second) map.node.entries.push_back(std::move(entry));
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, std::string_view own_tag,
            YAML::anchor_t anchor) {
    if (expects_key()) stop(place(mark), "a key must be plain text; text with { or [ in it must be quoted");
    if (open_.size() >= kMaxDepth) stop_too_deep(mark);
    Node node(kind, place(mark));
    count(1, node.at);
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own_tag) {
      problems_.add(node.at, ReferenceResolver::knows(tag) ? fmt::format("{} takes one name, not a list or a map", tag)
                                                           : ReferenceResolver::unknown_tag(tag));
      node.refused = true;
    }
    open_.emplace_back();
    open_.back().node = std::move(node);
    open_.back().anchor = anchor;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    put(std::move(done.node), done.anchor);
  }

  SourceText& source_;
  ReferenceResolver& resolver_;
  Problems& problems_;
  Node root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

/// The parser's message in the words of someone who looks at the text; its own where we know none.
std::string in_plain_words(const std::string& message) {
  static const std::unordered_map<std::string, std::string> kWords = {
      {YAML::ErrorMsg::MAP_VALUE, "a ':' does not fit here; put text that has ': ' in it in quotes"},
      {YAML::ErrorMsg::END_OF_MAP, "the line does not fit the map above; is it indented like the other keys?"},
      {YAML::ErrorMsg::END_OF_SEQ, "the line does not fit the list above; is it indented like the other items?"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "a '{' or a quote before this is not closed, or a ',' is missing"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a '[' or a quote before this is not closed, or a ',' is missing"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "a quote before this is not closed"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "text that begins with this character must be in quotes"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab as indentation; YAML takes spaces only"},
      {YAML::ErrorMsg::CHAR_IN_BLOCK,
       "a '>' or '|' begins text of several lines; text that only begins so must be in quotes"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "a '- ' does not fit here; is it indented like the other items?"},
      {YAML::ErrorMsg::MAP_KEY, "a key does not fit here; is it indented like the others?"}};
  const auto found = kWords.find(message);
  return found != kWords.end() ? found->second : message;
}

/// `series: {device}/temperature`: what begins with a brace ends with it, and the rest of the line fits nowhere.
bool goes_on_behind_a_brace(std::string_view yaml, const YAML::Mark& mark) {
  for (int line = 0; line < mark.line; ++line) yaml.remove_prefix(std::min(yaml.find('\n') + 1, yaml.size()));
  const std::string_view before = yaml.substr(0, static_cast<std::size_t>(std::max(mark.column, 0)));
  const std::size_t value = before.find_first_not_of(' ', std::min(before.find(": "), before.size() - 1) + 1);
  return value != before.npos && (before[value] == '{' || before[value] == '[') && before.find('\n') == before.npos;
}

std::string in_plain_words(const YAML::Exception& error, std::string_view yaml) {
  if (error.msg == YAML::ErrorMsg::END_OF_MAP && goes_on_behind_a_brace(yaml, error.mark))
    return "text that begins with '{' or '[' must be in quotes";
  return in_plain_words(error.msg);
}

}  // namespace

Node parse(std::string_view yaml, const std::string& file_name, const std::filesystem::path& directory,
           const References& references, Problems& problems) {
  SourceText source(yaml, file_name);
  if (!source.readable(problems)) return Node::refusal(source.start());
  ReferenceResolver resolver(directory, references, problems);
  Builder builder(source, resolver, problems);
  const auto give_up = [&] {
    // The secrets that are asked for further down may be open to all, and that is told nevertheless.
    if (references.read_private_file && yaml.find("!secret ") != yaml.npos) resolver.look_at_secrets(source.start());
    return Node::refusal(source.start());
  };
  try {
    std::istringstream stream(source.text());
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return give_up();
  } catch (const YAML::Exception& error) {
    problems.add(source.place(error.mark.line, error.mark.column),
                 "not valid YAML: " + in_plain_words(error, source.text()));
    return give_up();
  }
  Node root = builder.take_root();
  if (!root.at.file) root.at = source.start();
  return root;
}

}  // namespace tidegate::config
