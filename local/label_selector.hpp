// Label selectors of equality terms: "a=b,c!=d,e,!f". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json_fwd.hpp"
#include "api/result.hpp"

namespace evaljob::local {

class LabelSelector {
public:
    /// Fails on set terms ("a in (b)"), which nothing of ours uses.
    static Result<LabelSelector> parse(std::string_view text);

    /// Whether an object (not its labels alone) is selected. An empty selector takes everything.
    bool matches(const Json& object) const;

private:
    enum class Test { Equal, NotEqual, Present, Absent };
    struct Term {
        Test test;
        std::string key;
        std::string value;
    };
    static Term parse_term(std::string_view text);

    std::vector<Term> terms_;
};

}  // namespace evaljob::local
