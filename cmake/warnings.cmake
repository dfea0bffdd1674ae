# SPDX-License-Identifier: MIT
# anyio_add_warnings(<target>): our warnings, for our own targets only, never for users'.
function(anyio_add_warnings target)
    target_compile_options(
        ${target}
        PRIVATE -Wall
                -Wextra
                -Wpedantic
                -Wshadow
                -Wconversion
                -Wsign-conversion
                -Wold-style-cast
                -Wnon-virtual-dtor
                -Woverloaded-virtual
                -Wnull-dereference
                -Wextra-semi
                -Wundef
                $<$<BOOL:${ANYIO_STRICT}>:-Werror>
    )
    # Only compiler bugs stand below, each with its number.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
            # GCC 105651: std::string's own memcpy "may overlap" at -O2.
            target_compile_options(${target} PRIVATE -Wno-restrict)
        endif()
        if(ANYIO_SANITIZE)
            # The manual of g++ advises against -Werror with sanitizers: instrumentation
            # confuses these two. The other builds still look for them.
            target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized -Wno-null-dereference)
        endif()
    endif()
endfunction()
