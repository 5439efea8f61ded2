#include "local/label_selector.hpp"

#include <algorithm>

#include "api/json.hpp"

namespace evaljob::local {

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
    LabelSelector selector;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        if (part.empty() || part.find_first_of(" ()") != std::string_view::npos)
            return fail("BadRequest", "labelSelector: '" + std::string(part) + "' is not one of a=b, a!=b, a, !a");
        selector.terms_.push_back(parse_term(part));
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    return selector;
}

LabelSelector::Term LabelSelector::parse_term(std::string_view text) {
    if (text.front() == '!') return {Test::Absent, std::string(text.substr(1)), {}};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return {Test::Present, std::string(text), {}};
    const auto value = text.substr(equals + (text.substr(equals).starts_with("==") ? 2 : 1));
    const bool negated = equals > 0 && text[equals - 1] == '!';
    return {negated ? Test::NotEqual : Test::Equal, std::string(text.substr(0, equals - (negated ? 1 : 0))),
            std::string(value)};
}

bool LabelSelector::matches(const Json& object) const {
    static const Json none = Json::object();
    const auto& meta = object.contains("metadata") ? object.at("metadata") : none;
    const auto& labels = meta.contains("labels") && meta.at("labels").is_object() ? meta.at("labels") : none;
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        const auto found = labels.find(term.key);
        const bool present = found != labels.end();
        const bool equal = present && *found == term.value;
        switch (term.test) {
            case Test::Equal:
                return equal;
            case Test::NotEqual:
                return !equal;
            case Test::Present:
                return present;
            case Test::Absent:
                return !present;
        }
        return false;
    });
}

}  // namespace evaljob::local
