#include "api/yaml_builder.hpp"

#include <yaml-cpp/exceptions.h>

#include "api/yaml.hpp"
#include "api/yaml_scalar.hpp"

namespace evaljob {
namespace {

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) { throw YAML::ParserException(mark, what); }

std::size_t values_in(const Json& value) {
    std::size_t count = 1;
    if (value.is_structured()) {
        for (const Json& member : value) count += values_in(member);
    }
    return count;
}

}  // namespace

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (wants_key()) refuse(mark, "a key may not be null");
    count(mark, 1);
    add(Json(), anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (wants_key()) refuse(mark, "a key may not be an alias");
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) refuse(mark, "an alias may not stand inside what it repeats");
    count(mark, values_in(found->second));
    add(found->second, 0);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
    if (wants_key()) return take_key(mark, value);
    count(mark, 1);
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return add(Json(value), anchor);
    if (!tag.empty() && tag != "?") refuse(mark, "the tag " + tag + " is not supported; leave it out");
    Scalar scalar = read_plain_scalar(value);
    if (!scalar.refusal.empty()) refuse(mark, scalar.refusal);
    add(std::move(scalar.value), anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
    begin(mark, tag, anchor, Json::array());
}

void YamlBuilder::OnSequenceEnd() { end(); }

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
    begin(mark, tag, anchor, Json::object());
}

void YamlBuilder::OnMapEnd() { end(); }

void YamlBuilder::take_key(const YAML::Mark& mark, const std::string& key) {
    if (key == "<<") refuse(mark, "merge keys (<<) are not supported; write the members out");
    if (open_.back().value.contains(key)) refuse(mark, "the key \"" + key + "\" stands here a second time");
    open_.back().has_key = true;
    open_.back().key = key;
}

void YamlBuilder::begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json empty) {
    if (wants_key()) refuse(mark, "a key must be a text");
    if (!tag.empty() && tag != "?" && tag != "!") refuse(mark, "the tag " + tag + " is not supported; leave it out");
    if (open_.size() >= max_yaml_depth) refuse(mark, "nested deeper than 100 levels");
    count(mark, 1);
    open_.push_back(Open{.value = std::move(empty), .anchor = anchor, .has_key = false, .key = {}});
}

void YamlBuilder::end() {
    Open ended = std::move(open_.back());
    open_.pop_back();
    add(std::move(ended.value), ended.anchor);
}

void YamlBuilder::add(Json value, YAML::anchor_t anchor) {
    if (anchor != 0) anchored_[anchor] = value;
    if (open_.empty()) {
        root_ = std::move(value);
    } else if (open_.back().value.is_object()) {
        open_.back().value[open_.back().key] = std::move(value);
        open_.back().has_key = false;
    } else {
        open_.back().value.push_back(std::move(value));
    }
}

void YamlBuilder::count(const YAML::Mark& mark, std::size_t values) {
    values_ += values;
    if (values_ > max_yaml_values) refuse(mark, "holds more than 200000 values, with what aliases repeat");
}

}  // namespace evaljob
