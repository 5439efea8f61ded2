# Instead of dependencies.cmake: the runner alone, from headers and libraries that were brought along (kit/pack.py), on a
# machine that has cmake, ninja, a C++ compiler and a libtorch, and nothing else of what Debian has.
find_package(Threads REQUIRED)
set(CMAKE_BUILD_RPATH ${EVALJOB_KIT}/lib)
include_directories(SYSTEM ${EVALJOB_KIT}/include)  # what is found in /usr/include elsewhere, the precompiled header's too

function(evaljob_brought target)  # LIBRARIES below lib/, as files
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${EVALJOB_KIT}/include)
  foreach(library IN LISTS ARGN)
    target_link_libraries(${target} INTERFACE ${EVALJOB_KIT}/lib/${library})
  endforeach()
endfunction()

evaljob_brought(nlohmann_json::nlohmann_json)
evaljob_brought(CLI11::CLI11)
evaljob_brought(Boost::boost)
evaljob_brought(spdlog::spdlog)
target_compile_definitions(spdlog::spdlog INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
evaljob_brought(OpenSSL::Crypto libcrypto.so.3)
evaljob_brought(OpenSSL::SSL libssl.so.3 libcrypto.so.3)
evaljob_brought(ZLIB::ZLIB libz.so.1)
evaljob_brought(prometheus-cpp::core libprometheus-cpp-core.so.1.0)
evaljob_brought(isal libisal.so.2)
evaljob_brought(utf8proc libutf8proc.so.2)
evaljob_brought(image_formats libspng.so.0 libturbojpeg.so.0)
set(EXPECTED_INCLUDE ${EVALJOB_KIT}/include)
set(EVALJOB_MUSTACHE_INCLUDE ${EVALJOB_KIT}/include CACHE PATH "")

include(${CMAKE_CURRENT_LIST_DIR}/torch.cmake)
