# Everything third-party, each once. `./dev` installs what Debian has; libtorch: see torch.cmake.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)  # Process needs it; headers: Asio, Beast, Math, Process
find_package(cpprestsdk 2.10.18 REQUIRED)
find_package(prometheus-cpp REQUIRED)

# tl::expected
find_path(EXPECTED_INCLUDE tl/expected.hpp REQUIRED)

# ISA-L: CRC32C
find_path(ISAL_INCLUDE isa-l/crc.h REQUIRED)
find_library(ISAL_LIBRARY isal REQUIRED)
add_library(isal INTERFACE)
target_include_directories(isal SYSTEM INTERFACE ${ISAL_INCLUDE})
target_link_libraries(isal INTERFACE ${ISAL_LIBRARY})

find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(utf8proc INTERFACE)
target_include_directories(utf8proc SYSTEM INTERFACE ${UTF8PROC_INCLUDE})
target_link_libraries(utf8proc INTERFACE ${UTF8PROC_LIBRARY})

# PNG and JPEG
find_path(SPNG_INCLUDE spng.h REQUIRED)
find_library(SPNG_LIBRARY spng REQUIRED)
find_path(TURBOJPEG_INCLUDE turbojpeg.h REQUIRED)
find_library(TURBOJPEG_LIBRARY turbojpeg REQUIRED)
add_library(image_formats INTERFACE)
target_include_directories(image_formats SYSTEM INTERFACE ${SPNG_INCLUDE} ${TURBOJPEG_INCLUDE})
target_link_libraries(image_formats INTERFACE ${SPNG_LIBRARY} ${TURBOJPEG_LIBRARY})

include(${CMAKE_CURRENT_LIST_DIR}/torch.cmake)
