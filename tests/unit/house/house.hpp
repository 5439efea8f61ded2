// What design calls the house: which files are pure, and the rules as tables.
#pragma once

#include <vector>

#include "rules.hpp"

namespace evaljob::house {

/// Decisions without a world: no sockets, threads, third-party engines or clocks. Everything else is a shell or a main.
Files pure_files();

const std::vector<std::string>& source_folders();  // of the product
const std::vector<NeverIncludes>& include_rules();
const std::vector<IncludesOnly>& arrows();
const std::vector<NeverNames>& name_rules();
const std::vector<NeverWords>& word_rules();

}  // namespace evaljob::house
