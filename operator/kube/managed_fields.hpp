// An object's metadata.managedFields: near half of what the API server sends of it, and nothing that is read here.
#pragma once

#include <string>
#include <string_view>

namespace evaljob::kube {

/// The JSON text with every managedFields list empty, so that it need not be parsed. Only what an API server writes is
/// taken for one (compact, a manager first); whatever else the text is, JSON or not, it stays as it is.
std::string without_managed_fields(std::string_view text);

}  // namespace evaljob::kube
