# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/anyio)

install(TARGETS anyio anyio_testing EXPORT anyio-targets)
if(TARGET anyio_tls)
    # A set of its own: only who asks for it needs OpenSSL.
    install(TARGETS anyio_tls EXPORT anyio-tls-targets)
    install(EXPORT anyio-tls-targets NAMESPACE anyio:: DESTINATION ${package_dir})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp")
install(EXPORT anyio-targets NAMESPACE anyio:: DESTINATION ${package_dir})

configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/anyio-config.cmake.in
    ${PROJECT_BINARY_DIR}/anyio-config.cmake INSTALL_DESTINATION ${package_dir}
)
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/anyio-config-version.cmake COMPATIBILITY SameMinorVersion
)
install(FILES ${PROJECT_BINARY_DIR}/anyio-config.cmake
              ${PROJECT_BINARY_DIR}/anyio-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/anyio-gcc12.cmake DESTINATION ${package_dir}
)

# Paths relative to the .pc file: `cmake --install --prefix elsewhere` stays right.
file(RELATIVE_PATH include_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_FULL_INCLUDEDIR}
)
if(ANYIO_IO_URING AND NOT BUILD_SHARED_LIBS)
    set(libs_of_static " -luring")
endif()
configure_file(
    ${PROJECT_SOURCE_DIR}/cmake/anyio.pc.in ${PROJECT_BINARY_DIR}/anyio.pc @ONLY
)
install(FILES ${PROJECT_BINARY_DIR}/anyio.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET anyio_tls)
    # Static libraries need OpenSSL on the command line of who links them.
    set(tls_requires ", openssl >= 3.0")
    set(tls_private "")
    if(BUILD_SHARED_LIBS)
        set(tls_requires "")
        set(tls_private "Requires.private: openssl >= 3.0")
    endif()
    configure_file(
        ${PROJECT_SOURCE_DIR}/cmake/anyio-tls.pc.in ${PROJECT_BINARY_DIR}/anyio-tls.pc @ONLY
    )
    install(FILES ${PROJECT_BINARY_DIR}/anyio-tls.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    )
endif()
