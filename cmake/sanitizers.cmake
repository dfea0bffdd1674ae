# SPDX-License-Identifier: MIT
# For the whole build or not at all: half an instrumented program reports nonsense.
set(ANYIO_SANITIZE "" CACHE STRING "Sanitizers: address;undefined or thread")

if(ANYIO_SANITIZE)
    list(JOIN ANYIO_SANITIZE "," sanitizers)
    # A finding ends the program, so that a test cannot pass with one.
    add_compile_options(
        -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer
    )
    # The vptr check asks by pipe() what it may read, and takes a process without free
    # descriptors, which some tests make, for one with broken objects.
    # What the null, alignment and object size checks see, the address sanitizer sees too;
    # with them, a test file takes 51 s to compile instead of 25.
    if(ANYIO_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize=vptr,null,alignment,object-size)
    endif()
    add_link_options(-fsanitize=${sanitizers})
endif()
