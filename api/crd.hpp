// What is made from the table of fields: the CustomResourceDefinition and the reference in docs/evaljob.md.
#pragma once

#include <string>

#include "api/json.hpp"

namespace evaljob {

/// The whole CustomResourceDefinition evaljobs.evaljob.dev: structural schema with defaults, CEL rules, status and
/// scale subresources, printer columns. crds/ holds it as YAML; a test holds the two equal.
Json crd();

/// docs/evaljob.md: every field of spec and status, in Markdown.
std::string field_reference();

}  // namespace evaljob
