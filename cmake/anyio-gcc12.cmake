# SPDX-License-Identifier: MIT
# One line for each configuration whose compiler is g++ 12. It does not depend on which projects
# ask for anyio, or how often.
get_property(anyio_said GLOBAL PROPERTY ANYIO_GCC12_SAID)
if(NOT anyio_said
   AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"
   AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13
   AND (NOT DEFINED ANYIO_GCC12_WARNING OR ANYIO_GCC12_WARNING)
)
    message(NOTICE "anyio: g++ 12 silently miscompiles some coroutines (docs/manual/compilers.md); "
                   "prefer g++ 13 or clang 17, or newer. Without this line: -DANYIO_GCC12_WARNING=OFF"
    )
    set_property(GLOBAL PROPERTY ANYIO_GCC12_SAID TRUE)
endif()
unset(anyio_said)
