# libtorch as the imported target evaljob_torch. find_package(Torch) needs a CUDA toolkit with PyPI's wheel, so the
# libraries are named here. EVALJOB_TORCH_DIR is a folder with include/ and lib/; `./dev` fills one from three wheels.
set(EVALJOB_TORCH_DIR "$ENV{EVALJOB_TORCH_DIR}" CACHE PATH "libtorch: a folder with include/ and lib/")
if(NOT EXISTS ${EVALJOB_TORCH_DIR}/include/torch/csrc/jit/serialization/import.h)
  set(named "${EVALJOB_TORCH_DIR}")
  unset(EVALJOB_TORCH_DIR CACHE)  # so that the next try reads the environment again
  message(FATAL_ERROR "no libtorch in EVALJOB_TORCH_DIR='${named}': run ./dev build, which brings one, "
                      "or name the folder that holds libtorch's include/ and lib/")
endif()
add_library(evaljob_torch INTERFACE)
target_include_directories(evaljob_torch SYSTEM INTERFACE
  ${EVALJOB_TORCH_DIR}/include ${EVALJOB_TORCH_DIR}/include/torch/csrc/api/include)
target_link_directories(evaljob_torch INTERFACE ${EVALJOB_TORCH_DIR}/lib)
target_link_libraries(evaljob_torch INTERFACE torch_cpu c10)
if(EXISTS ${EVALJOB_TORCH_DIR}/lib/libtorch_cuda.so)
  # Nothing of ours names a symbol of these: their constructors register the CUDA kernels, and packages of AOTInductor
  # ask for libtorch.so.
  target_link_options(evaljob_torch INTERFACE -Wl,--no-as-needed)
  target_link_libraries(evaljob_torch INTERFACE torch_cuda c10_cuda torch)
else()
  # PyTorch's libtorch.so is a name for all of its libraries together. That of PyPI's wheel asks for CUDA's; on CPUs this
  # one stands in its place.
  add_library(evaljob_libtorch SHARED ${CMAKE_CURRENT_LIST_DIR}/libtorch.cpp)
  set_target_properties(evaljob_libtorch PROPERTIES
    OUTPUT_NAME torch LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib INSTALL_RPATH "$ORIGIN")
  target_link_options(evaljob_libtorch PRIVATE -Wl,--no-as-needed)
  target_link_libraries(evaljob_libtorch PRIVATE evaljob_torch)
endif()

# CUDA's runtime and NCCL: those of PyPI's wheels beside libtorch's, or the system's.
set(wheels ${EVALJOB_TORCH_DIR}/../nvidia)
find_path(NCCL_INCLUDE nccl.h HINTS ${wheels}/nccl/include)
find_path(CUDA_RUNTIME_INCLUDE cuda_runtime_api.h HINTS ${wheels}/cu13/include /usr/local/cuda/include)
find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${wheels}/nccl/lib)
find_library(CUDA_RUNTIME_LIBRARY NAMES cudart libcudart.so.13 libcudart.so.12
  HINTS ${wheels}/cu13/lib /usr/local/cuda/lib64)
set(has_cuda OFF)
if(EXISTS ${EVALJOB_TORCH_DIR}/lib/libtorch_cuda.so AND CUDA_RUNTIME_INCLUDE AND CUDA_RUNTIME_LIBRARY)
  set(has_cuda ON)
endif()
option(EVALJOB_CUDA "What calls CUDA itself: CUDA graphs; needs libtorch's CUDA build, CUDA's runtime and its headers" ${has_cuda})
add_library(cuda_runtime INTERFACE)
if(EVALJOB_CUDA)
  target_include_directories(cuda_runtime SYSTEM INTERFACE ${CUDA_RUNTIME_INCLUDE})
  target_link_libraries(cuda_runtime INTERFACE ${CUDA_RUNTIME_LIBRARY})
endif()
set(has_nccl OFF)
if(has_cuda AND NCCL_INCLUDE AND NCCL_LIBRARY)
  set(has_nccl ON)
endif()
option(EVALJOB_NCCL "Backend NCCL; needs EVALJOB_CUDA, NCCL and its headers" ${has_nccl})
add_library(nccl_and_cuda INTERFACE)
if(EVALJOB_NCCL)
  target_include_directories(nccl_and_cuda SYSTEM INTERFACE ${NCCL_INCLUDE})
  target_link_libraries(nccl_and_cuda INTERFACE ${NCCL_LIBRARY} cuda_runtime)
endif()

# Gloo is in libtorch, without its headers; those of Debian's libgloo-dev will do.
find_path(GLOO_INCLUDE gloo/algorithm.h HINTS ${EVALJOB_KIT}/include)
set(has_gloo ON)
if(NOT GLOO_INCLUDE)
  set(has_gloo OFF)
endif()
option(EVALJOB_GLOO "Backend Gloo; needs Gloo's headers" ${has_gloo})
