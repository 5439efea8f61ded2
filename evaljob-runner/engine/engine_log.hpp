// The log for files that include libtorch: it brings an fmt that is not spdlog's.
#pragma once

#include <string>

namespace evaljob {

void log_info(const std::string& text);
void log_warning(const std::string& text);

}  // namespace evaljob
