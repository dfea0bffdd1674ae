# SPDX-License-Identifier: MIT
# check_headers: one generated source per public header, which includes it alone, and
# twice to see that it may be.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS include/*.hpp)
# Opt-in: it includes asio, which need not be here.
list(REMOVE_ITEM headers anyio/backends/asio.hpp)

set(lone_sources)
foreach(header IN LISTS headers)
    set(source ${PROJECT_BINARY_DIR}/check_headers/${header}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <${header}>\n#include <${header}>\n")
    list(APPEND lone_sources ${source})
endforeach()

if(lone_sources AND PROJECT_IS_TOP_LEVEL)
    add_library(check_headers OBJECT ${lone_sources})
    target_link_libraries(check_headers PRIVATE anyio anyio_testing)
    anyio_add_warnings(check_headers)
    if(NOT ANYIO_CHECK_HEADERS)
        set_target_properties(check_headers PROPERTIES EXCLUDE_FROM_ALL TRUE)
    endif()
endif()
