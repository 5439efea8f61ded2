// Builds a Json from yaml-cpp's events, because its node graph hides repeated keys and follows aliases without limit.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <yaml-cpp/eventhandler.h>

#include "api/json.hpp"

namespace evaljob {

/// Throws YAML::ParserException with the place of what it refuses; caught once, around the parser.
class YamlBuilder : public YAML::EventHandler {
public:
    const Json& root() const { return root_; }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override;
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override;

private:
    struct Open {
        Json value;
        YAML::anchor_t anchor = 0;
        bool has_key = false;
        std::string key;
    };

    bool wants_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key; }
    void take_key(const YAML::Mark& mark, const std::string& key);
    void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json empty);
    void end();
    void add(Json value, YAML::anchor_t anchor);
    void count(const YAML::Mark& mark, std::size_t values);

    Json root_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, Json> anchored_;
    std::size_t values_ = 0;
};

}  // namespace evaljob
