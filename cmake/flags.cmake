# Flags for our own code; third-party headers come in as SYSTEM and stay silent.
add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overflows, danglings and nulls where there are none, in std::string and in coroutine frames.
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-format-truncation -Wno-array-bounds -Wno-dangling-pointer -Wno-maybe-uninitialized)
endif()
include_directories(${PROJECT_SOURCE_DIR})
# Assertions stay on in release builds.
string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
# Values of JSON never turn into C++ values unasked.
add_compile_definitions(JSON_USE_IMPLICIT_CONVERSIONS=0)

set(EVALJOB_SANITIZE "" CACHE STRING "Sanitizers for our own code, as -fsanitize takes them")
if(EVALJOB_SANITIZE)
  add_compile_options(-fsanitize=${EVALJOB_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${EVALJOB_SANITIZE})
  if(EVALJOB_SANITIZE MATCHES thread)
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)  # ThreadSanitizer does not know fences
  endif()
endif()
find_program(EVALJOB_MOLD ld.mold)
if(EVALJOB_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(EVALJOB_CCACHE ccache)
if(EVALJOB_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${EVALJOB_CCACHE})
endif()

# One precompiled header for everything: most of a file's compile time goes into nlohmann_json.
add_compile_options(-fpch-preprocess)  # lets ccache see through it
set(EVALJOB_CMAKE ${CMAKE_CURRENT_LIST_DIR})
function(evaljob_precompile_for name)  # with the flags of the calling folder
  add_library(${name} OBJECT ${EVALJOB_CMAKE}/precompiled.cpp)
  target_precompile_headers(${name} PRIVATE ${EVALJOB_CMAKE}/precompiled.hpp)
endfunction()
evaljob_precompile_for(evaljob_precompiled)
set(EVALJOB_PRECOMPILED evaljob_precompiled)
function(evaljob_precompile)
  foreach(target IN LISTS ARGN)
    target_precompile_headers(${target} REUSE_FROM ${EVALJOB_PRECOMPILED})
  endforeach()
endfunction()
